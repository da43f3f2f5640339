import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { testBackends } from '../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../index.ts'
import { observeJobs } from './index.ts'

const spans = new InMemorySpanExporter()
const measurements = new InMemoryMetricExporter(AggregationTemporality.DELTA)
const reader = new PeriodicExportingMetricReader({ exporter: measurements, exportIntervalMillis: 60_000 })
const schema = defineSchema({ mail: queue<{ to: string }>({ maxAttempts: 1 }) })
let stop: () => void

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  stop = observeJobs()
})
afterAll(() => stop())
afterEach(() => {
  spans.reset()
  measurements.reset()
})

async function metricNames(): Promise<Record<string, number>> {
  await reader.forceFlush()
  const all = measurements.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  return Object.fromEntries(
    all.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.reduce(
        (sum, { value }) => sum + (typeof value === 'number' ? value : (value as { count: number }).count),
        0,
      ),
    ]),
  )
}

describe.each(testBackends)('jobs observed on $name', ({ fresh }) => {
  it('have a span for adding them and one for each run, which is linked to it', async () => {
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { schema })
    const tracer = trace.getTracer('application')
    await tracer.startActiveSpan('request', async (request) => {
      await storage.queue('mail').enqueueMany([{ data: { to: 'kim' } }, { data: { to: 'nobody' } }])
      request.end()
    })
    await storage.queue('mail').drain(async (job) => {
      await tracer.startActiveSpan('smtp', async (inner) => inner.end())
      if (job.data.to === 'nobody') throw new TypeError('refused')
    })
    const finished = spans.getFinishedSpans()
    const [request, send] = ['request', 'send mail'].map((name) => finished.find((span) => span.name === name))
    const runs = finished.filter(({ name }) => name === 'process mail')
    expect(send?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
    expect(send?.attributes).toMatchObject({
      'messaging.system': 'holdfast',
      'messaging.destination.name': 'mail',
      'messaging.batch.message_count': 2,
    })
    expect(runs).toHaveLength(2)
    for (const run of runs) {
      expect(run.links.map((link) => link.context.spanId)).toEqual([send?.spanContext().spanId])
      expect(run.parentSpanContext).toBeUndefined()
    }
    expect(runs.map(({ status }) => status.code).sort()).toEqual([0, 2])
    const inner = finished.filter(({ name }) => name === 'smtp').map((span) => span.parentSpanContext?.spanId)
    expect(new Set(inner)).toEqual(new Set(runs.map((run) => run.spanContext().spanId)))
    expect(JSON.stringify(finished.map(({ attributes }) => attributes))).not.toContain('kim')
    expect(await metricNames()).toMatchObject({
      'messaging.client.sent.messages': 2,
      'messaging.client.consumed.messages': 2,
      'messaging.process.duration': 2,
      'messaging.client.operation.duration': 1,
    })
    await storage.close()
    await drop()
  })

  it('are not touched once nobody observes them', async () => {
    stop()
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { schema })
    const job = await storage.queue('mail').enqueue({ to: 'kim' })
    await storage.queue('mail').drain(() => undefined)
    expect([job.settings, spans.getFinishedSpans()]).toEqual([null, []])
    await storage.close()
    await drop()
    stop = observeJobs()
  })
})
