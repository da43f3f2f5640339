import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Issue } from '../base/errors.ts'
import { describe } from './accept.ts'
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

/** How long finished jobs are kept: whichever bound is reached first. */
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
}

/** A declared queue. */
export interface Queue<Data = unknown, Input = Data> {
  readonly kind: 'queue'
  readonly schema?: StandardSchemaV1<unknown, Data>
  readonly options: QueueOptions
  /** For inference only; never there at run time. */
  readonly $data?: Data
  /** For inference only; never there at run time. */
  readonly $input?: Input
}

/**
 * Declares a job queue; its payloads are checked by a Standard Schema where one is given.
 *
 * @example
 * ```ts
 * const execute = queue({ schema: z.object({ planId: z.string() }), maxAttempts: 5 })
 * const mail = queue<{ to: string }>()
 * ```
 */
export function queue<Schema extends StandardSchemaV1>(
  options: QueueOptions & { readonly schema: Schema },
): Queue<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>
export function queue<Data>(options?: QueueOptions & { readonly schema?: StandardSchemaV1<unknown, Data> }): Queue<Data>
export function queue(options: QueueOptions & { readonly schema?: StandardSchemaV1 } = {}): Queue {
  const { schema, ...rest } = options
  return schema === undefined ? { kind: 'queue', options: rest } : { kind: 'queue', schema, options: rest }
}

const OPTIONS = [
  'maxAttempts',
  'backoff',
  'timeoutMs',
  'deadLetter',
  'keep',
  'maxPayloadBytes',
  'concurrency',
  'groupConcurrency',
  'rate',
]

/** Adds what is wrong with the options of a queue to `issues`. */
export function checkQueueOptions(name: string, options: QueueOptions, issues: Issue[]): void {
  checkKnown(options, OPTIONS, `${name}.`, issues)
  for (const option of ['maxAttempts', 'timeoutMs', 'maxPayloadBytes', 'concurrency', 'groupConcurrency'] as const) {
    if (options[option] !== undefined) checkWhole(options[option], 1, `${name}.${option}`, issues)
  }
  if (options.backoff !== undefined) checkBackoff(options.backoff, `${name}.backoff`, issues)
  if (options.keep !== undefined) {
    checkKnown(options.keep, ['completedMs', 'completed', 'failedMs', 'failed'], `${name}.keep.`, issues)
    for (const [bound, value] of Object.entries(options.keep)) checkWhole(value, 0, `${name}.keep.${bound}`, issues)
  }
  if (options.rate !== undefined) {
    checkKnown(options.rate, ['max', 'perMs'], `${name}.rate.`, issues)
    for (const part of ['max', 'perMs'] as const) checkWhole(options.rate[part], 1, `${name}.rate.${part}`, issues)
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
