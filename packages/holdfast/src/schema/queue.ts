import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Issue } from '../base/errors.ts'
import { describe } from './describe.ts'
import { checkKnown, checkMs, checkWhole } from './options.ts'

/** The pauses between the attempts of a job. */
export interface Backoff {
  /** `exponential` (the default) doubles the pause each time, `linear` adds the first again, `fixed` keeps it. */
  readonly kind?: 'exponential' | 'linear' | 'fixed'
  /** The pause after the first attempt; 1 s unless given. */
  readonly firstMs?: number
  /** The longest pause; 1 h unless given. */
  readonly longestMs?: number
  /** How much of a pause is at random: 0 none, 1 all of it; 0.5 unless given. */
  readonly jitter?: number
}

/**
 * How long finished jobs are kept: whichever bound is reached first. With `completed: 0` jobs that complete without a result are gone at once,
 * and cost a third less: `get` and `after` do not find them, and `waitFor` only when it began to wait before they ended.
 */
export interface KeepFinished {
  /** Jobs that completed or were cancelled; 7 days unless given. */
  readonly completedMs?: number
  /** How many of those at most; no bound unless given. */
  readonly completed?: number
  /** Jobs that failed; 30 days unless given. */
  readonly failedMs?: number
  /** How many of those at most; no bound unless given. */
  readonly failed?: number
}

/** The options of a queue. */
export interface QueueOptions {
  /** How often a job is tried before it counts as failed; 5 unless given. */
  readonly maxAttempts?: number
  /** The pauses between attempts. */
  readonly backoff?: Backoff
  /** How long an attempt may take; then its signal aborts and it has failed. No bound unless given. */
  readonly timeoutMs?: number
  /** Within how long of its `runAt` the first attempt of a job must begin; else it has failed without being run. No bound unless given. */
  readonly startWithinMs?: number
  /** The queue that is given a copy of each job that failed for good: `{ id, queue, data, errors }`. */
  readonly deadLetter?: string
  /** How long finished jobs are kept. */
  readonly keep?: KeepFinished
  /** The largest payload, in bytes of JSON; no bound of the queue's own unless given. */
  readonly maxPayloadBytes?: number
  /** How many jobs of the queue run at once, all workers together; no bound unless given. */
  readonly concurrency?: number
  /** How many jobs of one `group` run at once; 1, which also keeps their order, unless given. */
  readonly groupConcurrency?: number
  /** At most `max` jobs begin in each `perMs`, which is counted from the first of them; all workers together. */
  readonly rate?: { readonly max: number; readonly perMs: number }
  /**
   * At most `max` jobs of one `group` begin in each `perMs`, which is counted from the first of them; all workers together. The others of the
   * group are put off until then, and keep no other group waiting.
   */
  readonly groupRate?: { readonly max: number; readonly perMs: number }
  /**
   * Which form the payloads of this code have: a whole number that grows when they change; 1 unless given. A job keeps the version it was
   * enqueued with. Workers leave jobs of a later version than theirs to those that know it.
   */
  readonly version?: number
  /**
   * Brings the payload of an earlier version to the form of this one, before it is checked and handled: pure, and at once.
   *
   * @example
   * ```ts
   * const mail = queue<{ to: string[] }>({
   *   version: 2,
   *   upgrade: (data, fromVersion) => (fromVersion < 2 ? { to: [(data as { to: string }).to] } : data),
   * })
   * ```
   */
  readonly upgrade?: (data: unknown, fromVersion: number) => unknown
}

/**
 * A declared queue.
 *
 * @example
 * ```ts
 * const mail: QueueDeclaration<{ to: string }> = queue<{ to: string }>({ maxAttempts: 5 })
 * ```
 */
export interface QueueDeclaration<Data = unknown, Input = Data, Result = unknown, ResultInput = Result> {
  readonly kind: 'queue'
  /** Checks payloads when they are enqueued and before they are handled. */
  readonly schema?: StandardSchemaV1<unknown, Data>
  /** Checks what handlers return before their jobs complete. */
  readonly resultSchema?: StandardSchemaV1<unknown, Result>
  readonly options: QueueOptions
  /** For inference only; never there at run time. */
  readonly $data?: Data
  /** For inference only; never there at run time. */
  readonly $input?: Input
  /** For inference only; never there at run time. */
  readonly $result?: Result
  /** For inference only; never there at run time. */
  readonly $resultInput?: ResultInput
}

type Output<Schema extends StandardSchemaV1> = StandardSchemaV1.InferOutput<Schema>
type Input<Schema extends StandardSchemaV1> = StandardSchemaV1.InferInput<Schema>

/**
 * Declares a job queue. Its payloads, and the results of its handlers, are checked by a Standard Schema where one is given. A schema must take
 * what it gives, since payloads are checked again before they are handled.
 *
 * @example
 * ```ts
 * const execute = queue({ schema: z.object({ planId: z.string() }), maxAttempts: 5 })
 * const resize = queue({ schema: z.object({ url: z.url() }), resultSchema: z.object({ bytes: z.number() }), version: 2 })
 * const mail = queue<{ to: string }, { messageId: string }>()
 * ```
 */
export function queue<Schema extends StandardSchemaV1, ResultSchema extends StandardSchemaV1>(
  options: QueueOptions & { readonly schema: Schema; readonly resultSchema: ResultSchema },
): QueueDeclaration<Output<Schema>, Input<Schema>, Output<ResultSchema>, Input<ResultSchema>>
export function queue<Schema extends StandardSchemaV1>(
  options: QueueOptions & { readonly schema: Schema },
): QueueDeclaration<Output<Schema>, Input<Schema>>
export function queue<Data, Result = unknown>(
  options?: QueueOptions & {
    readonly schema?: StandardSchemaV1<unknown, Data>
    readonly resultSchema?: StandardSchemaV1<unknown, Result>
  },
): QueueDeclaration<Data, Data, Result>
export function queue(
  options: QueueOptions & { readonly schema?: StandardSchemaV1; readonly resultSchema?: StandardSchemaV1 } = {},
): QueueDeclaration {
  // What holds no options is told of when the schema is checked.
  if (typeof options !== 'object' || options === null) return { kind: 'queue', options }
  const { schema, resultSchema, ...rest } = options
  return {
    kind: 'queue',
    ...(schema !== undefined && { schema }),
    ...(resultSchema !== undefined && { resultSchema }),
    options: rest,
  }
}

const OPTIONS = [
  'schema',
  'resultSchema',
  'maxAttempts',
  'backoff',
  'timeoutMs',
  'startWithinMs',
  'deadLetter',
  'keep',
  'maxPayloadBytes',
  'concurrency',
  'groupConcurrency',
  'rate',
  'groupRate',
  'version',
  'upgrade',
]
const WHOLE = ['maxAttempts', 'timeoutMs', 'maxPayloadBytes', 'concurrency', 'groupConcurrency', 'version'] as const

/** Adds what is wrong with the options of a queue to `issues`. */
export function checkQueueOptions(name: string, options: QueueOptions, issues: Issue[]): void {
  if (!checkKnown(options, OPTIONS, `${name}.`, issues)) return
  for (const option of WHOLE) {
    if (options[option] !== undefined) checkWhole(options[option], 1, `${name}.${option}`, issues)
  }
  if (options.startWithinMs !== undefined) checkMs(options.startWithinMs, 1, `${name}.startWithinMs`, issues)
  if (options.upgrade !== undefined && typeof options.upgrade !== 'function')
    issues.push({ path: `${name}.upgrade`, reason: `must be a function, got ${describe(options.upgrade)}` })
  if (options.backoff !== undefined) checkBackoff(options.backoff, `${name}.backoff`, issues)
  if (options.keep !== undefined) {
    checkKnown(options.keep, ['completedMs', 'completed', 'failedMs', 'failed'], `${name}.keep.`, issues)
    for (const [bound, value] of Object.entries(options.keep)) checkWhole(value, 0, `${name}.keep.${bound}`, issues)
  }
  for (const rate of ['rate', 'groupRate'] as const) {
    const given = options[rate]
    if (given === undefined) continue
    checkKnown(given, ['max', 'perMs'], `${name}.${rate}.`, issues)
    for (const part of ['max', 'perMs'] as const) checkWhole(given?.[part], 1, `${name}.${rate}.${part}`, issues)
  }
}

/** Adds what is wrong with pauses between attempts to `issues`. */
export function checkBackoff(backoff: Backoff, path: string, issues: Issue[]): void {
  checkKnown(backoff, ['kind', 'firstMs', 'longestMs', 'jitter'], `${path}.`, issues)
  const { kind = 'fixed', firstMs = 0, longestMs = 0, jitter = 0 } = backoff ?? {}
  if (!['exponential', 'linear', 'fixed'].includes(kind)) {
    issues.push({ path: `${path}.kind`, reason: `must be exponential, linear or fixed, got ${describe(kind)}` })
  }
  checkMs(firstMs, 0, `${path}.firstMs`, issues)
  checkMs(longestMs, 0, `${path}.longestMs`, issues)
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    issues.push({ path: `${path}.jitter`, reason: `must be a number from 0 to 1, got ${describe(jitter)}` })
  }
}
