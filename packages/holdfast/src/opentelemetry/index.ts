import {
  type Attributes,
  type Counter,
  context,
  type Histogram,
  type Link,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { type Around, adding, type JobRunning, type JobsAdding, running } from '../queue/index.ts'

const NAME = 'holdfast'
/** As the conventions advise, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/**
 * Tells OpenTelemetry of the jobs of every storage in this process: a PRODUCER span for what adds jobs and a CONSUMER span for each run of a
 * handler, which links to the span that added the job, wherever that was; and the metrics of messaging. Payloads are never recorded. Spans and
 * metrics go to the providers that the application has registered with `@opentelemetry/api`.
 *
 * @returns ends it.
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/
 *
 * @example
 * ```ts
 * import { observeJobs } from 'holdfast/opentelemetry'
 *
 * const stop = observeJobs()
 * ```
 */
export function observeJobs(): () => void {
  const observer = new JobObserver()
  const onAdding = (message: unknown): void => observer.adding(message as JobsAdding)
  const onRunning = (message: unknown): void => observer.running(message as JobRunning)
  adding.subscribe(onAdding)
  running.subscribe(onRunning)
  return () => {
    adding.unsubscribe(onAdding)
    running.unsubscribe(onRunning)
  }
}

class JobObserver {
  readonly #tracer = trace.getTracer(NAME)
  readonly #operations: Histogram
  readonly #processing: Histogram
  readonly #sent: Counter
  readonly #consumed: Counter

  constructor() {
    const meter = metrics.getMeter(NAME)
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: BUCKETS } }
    this.#operations = meter.createHistogram('messaging.client.operation.duration', seconds)
    this.#processing = meter.createHistogram('messaging.process.duration', seconds)
    this.#sent = meter.createCounter('messaging.client.sent.messages', { unit: '{message}' })
    this.#consumed = meter.createCounter('messaging.client.consumed.messages', { unit: '{message}' })
  }

  adding(message: JobsAdding): void {
    const { queue, count } = message
    const attributes = attributesOf(queue, 'send')
    const batch = count > 1 ? { 'messaging.batch.message_count': count } : {}
    const span = this.#tracer.startSpan(`send ${queue}`, {
      kind: SpanKind.PRODUCER,
      attributes: { ...attributes, ...batch },
    })
    const carrier: Record<string, string> = {}
    propagation.inject(trace.setSpan(context.active(), span), carrier)
    if (Object.keys(carrier).length > 0) message.carrier = carrier
    message.around = measured(span, (seconds, error) => {
      const ended = withError(attributes, error)
      this.#operations.record(seconds, ended)
      this.#sent.add(count, ended)
    })
  }

  running(message: JobRunning): void {
    const { jobs } = message
    const [{ id, queue, attempt }, ...others] = jobs
    const attributes = attributesOf(queue, 'process')
    const told =
      others.length === 0
        ? { 'messaging.message.id': id, 'holdfast.job.attempt': attempt }
        : { 'messaging.batch.message_count': jobs.length }
    const span = this.#tracer.startSpan(
      `process ${queue}`,
      {
        kind: SpanKind.CONSUMER,
        attributes: { ...attributes, ...told },
        links: jobs.flatMap(({ settings }) => linksTo(settings?.carrier)),
      },
      ROOT_CONTEXT,
    )
    message.around = measured(span, (seconds, error) => {
      const ended = withError(attributes, error)
      this.#processing.record(seconds, ended)
      this.#consumed.add(jobs.length, ended)
    })
  }
}

function attributesOf(queue: string, operation: 'send' | 'process'): Attributes {
  return {
    'messaging.system': NAME,
    'messaging.destination.name': queue,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
  }
}

function withError(attributes: Attributes, error: unknown): Attributes {
  if (error === undefined) return attributes
  return { ...attributes, 'error.type': error instanceof Error ? error.name : '_OTHER' }
}

/** The span that added a job is another trace's: a run may come days later, and several times. */
function linksTo(carrier: JobsAdding['carrier']): Link[] {
  if (carrier === undefined) return []
  const sender = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier))
  return sender === undefined ? [] : [{ context: sender }]
}

/** Runs work in a span, and ends it with what comes of the work. */
function measured(span: Span, record: (seconds: number, error: unknown) => void): Around {
  return async (work) => {
    const started = performance.now()
    let failure: unknown
    try {
      return await context.with(trace.setSpan(context.active(), span), work)
    } catch (error) {
      failure = error ?? new Error('rejected with nothing')
      span.recordException(error instanceof Error ? error : String(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      record((performance.now() - started) / 1_000, failure)
      span.end()
    }
  }
}
