import { type Channel, channel } from 'node:diagnostics_channel'
import type { Job } from './job.ts'

/**
 * What is told as jobs are added and run, on `node:diagnostics_channel`. Whoever listens may put something around the work and send a carrier
 * along with the jobs: that is how a trace goes from the one who adds a job to the one who runs it. Costs nothing while nobody listens.
 */

/** Puts something around work, and hands on what it gives. */
export type Around = <T>(work: () => Promise<T>) => Promise<T>

/** Jobs are about to be added. */
export interface JobsAdding {
  readonly queue: string
  readonly count: number
  /** To be set by a listener: kept with each of the jobs. */
  carrier?: Readonly<Record<string, string>>
  /** To be set by a listener. */
  around?: Around
}

/** A handler is about to be called. */
export interface JobRunning {
  /** The job; several where the handler takes many. Each has what was sent along when it was added, in `settings.carrier`. */
  readonly jobs: readonly [Job, ...Job[]]
  /** To be set by a listener. */
  around?: Around
}

/** Tells of `JobsAdding`. */
export const adding: Channel<unknown, JobsAdding> = channel('holdfast.jobs.adding') as never

/** Tells of `JobRunning`. */
export const running: Channel<unknown, JobRunning> = channel('holdfast.job.running') as never

/** Adds jobs as those who listen want it. */
export function tellAdding<T>(
  queue: string,
  count: number,
  add: (carrier: JobsAdding['carrier']) => Promise<T>,
): Promise<T> {
  if (!adding.hasSubscribers) return add(undefined)
  const message: JobsAdding = { queue, count }
  adding.publish(message)
  const work = () => add(message.carrier)
  return message.around === undefined ? work() : message.around(work)
}

/** Calls a handler as those who listen want it. */
export function tellRunning<T>(jobs: JobRunning['jobs'], call: () => T | Promise<T>): T | Promise<T> {
  if (!running.hasSubscribers) return call()
  const message: JobRunning = { jobs }
  running.publish(message)
  return message.around === undefined ? call() : message.around(async () => call())
}
