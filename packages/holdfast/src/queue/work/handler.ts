import type { Issue } from '../../base/errors.ts'
import { acceptJson } from '../../schema/index.ts'
import type { Job } from '../job/job.ts'
import type { Discard, Snooze } from './endings.ts'

/** What a handler is given besides the job. */
export interface HandlerContext<Tx> {
  /**
   * A transaction that begins at its first use and takes in the completion of the job: its writes and the follow-up jobs it enqueues take
   * effect exactly when the job completes.
   */
  readonly tx: Tx
  /** Aborts when the lease is lost, the job is cancelled, its time is up, or the worker is stopped and its time is up. */
  readonly signal: AbortSignal
  /** Keeps a word on the progress with the job: any JSON. Once `tx` was used it is seen when the job completes. */
  progress(value: unknown): Promise<void>
  /**
   * Does a part of the job once: what it came to is kept, and when the job is tried again `work` is not run again. Steps are told apart by
   * their names.
   *
   * @param work what it resolves to is kept: any JSON. It may run twice when the process dies before that.
   */
  step<T>(name: string, work: () => T | Promise<T>): Promise<T>
  /**
   * The results of the jobs that this one comes after, by their ids and in the order of `job.after`; null for one that had none. Those that
   * failed or were cancelled, or are not kept any more, are not among them.
   *
   * @example
   * ```ts
   * storage.queue('book').work(async (_, { results }) => [...(await results()).values()])
   * ```
   */
  results(): Promise<Map<string, unknown>>
}

/** What a handler may return: the job's result, or how else the attempt ends. */
export type Handled<Result> = Result | Snooze | Discard

/** Does a job. What it returns is kept as the job's result; `snooze` and `discard` end an attempt in other ways. */
export type Handler<Data, Tx, Result = unknown> = (
  job: Job<Data>,
  context: HandlerContext<Tx>,
) => Handled<Result> | Promise<Handled<Result>>

/** What a handler of many jobs is given besides them. */
export interface ManyContext<Tx> {
  /**
   * A transaction that begins at its first use and takes in what becomes of all the jobs: its writes take effect exactly when that is written
   * down. Writes that belong to one job alone go into a part of it, `tx.transaction(…)`, which can be undone alone.
   */
  readonly tx: Tx
  /** Aborts when the leases are lost or all jobs are cancelled, their time is up, or the worker is stopped and its time is up. */
  readonly signal: AbortSignal
}

/** What becomes of one of many jobs: its result, `snooze` or `discard`, an error for an attempt that failed, or a promise of those. */
export type HandledOne<Result> = Handled<Result> | Error | Promise<Handled<Result> | Error>

/** What becomes of many jobs, in their order; nothing when they are all done and have no results. */
// biome-ignore lint/suspicious/noConfusingVoidType: what functions without a return are typed as.
export type HandledMany<Result> = readonly HandledOne<Result>[] | undefined | void

/**
 * Does many jobs at once. Gives what becomes of each, in their order; nothing at all when they are all done and have no results. When it
 * throws, the attempts of all have failed.
 */
export type ManyHandler<Data, Tx, Result = unknown> = (
  jobs: readonly [Job<Data>, ...Job<Data>[]],
  context: ManyContext<Tx>,
) => HandledMany<Result> | Promise<HandledMany<Result>>

/**
 * Runs around every handler of a worker, the first one outermost: `next()` runs what is inside of it and gives its result.
 *
 * @example
 * ```ts
 * const timed: Middleware = async (job, _context, next) => {
 *   const started = performance.now()
 *   try {
 *     return await next()
 *   } finally {
 *     console.log(job.queue, performance.now() - started)
 *   }
 * }
 * ```
 */
export type Middleware<Tx = unknown> = (job: Job, context: HandlerContext<Tx>, next: () => Promise<unknown>) => unknown

/**
 * Runs around every call of a handler that takes many jobs, the first one outermost: `next()` runs what is inside of it and gives what becomes
 * of the jobs, as the handler gave it. When it throws, the attempts of all have failed.
 *
 * @example
 * ```ts
 * const counted: ManyMiddleware = async (jobs, _context, next) => {
 *   console.log(jobs[0].queue, jobs.length)
 *   return next()
 * }
 * ```
 */
export type ManyMiddleware<Tx = unknown> = (
  jobs: readonly [Job, ...Job[]],
  context: ManyContext<Tx>,
  next: () => Promise<unknown>,
) => unknown

/** A handler, of one job or of many, with its middleware around it. */
export function surround<Given, Context>(
  handler: (given: Given, context: Context) => unknown,
  middleware: readonly ((given: Given, context: Context, next: () => Promise<unknown>) => unknown)[],
): (given: Given, context: Context) => unknown {
  return middleware.reduceRight<(given: Given, context: Context) => unknown>(
    (inner, around) => (given, context) => around(given, context, async () => inner(given, context)),
    handler,
  )
}

/**
 * What of a handler is kept, as JSON.
 *
 * @param refused makes the error for what is not JSON; a TypeError unless given, with which the attempt fails.
 */
export function storableJson(
  value: unknown,
  what: 'result' | 'progress' | 'step',
  refused: (issues: Issue[]) => Error = unstorable,
): unknown {
  if (value === undefined) return null
  const issues: Issue[] = []
  const accepted = acceptJson(value, what, issues)
  if (issues.length > 0) throw refused(issues)
  return accepted
}

function unstorable(issues: readonly Issue[]): TypeError {
  const reasons = issues.map(({ path, reason }) => `${path} ${reason}`).join('; ')
  return new TypeError(`What the handler gave cannot be kept: ${reasons}`)
}
