import type { Target } from '../peers/store.ts'

/** What a job carries. */
export interface Payload {
  readonly n: number
}

/** How jobs are run: taken under a lease; the same, and many run in one transaction with their completion; or all of it in that one. */
export type Mode = 'lease' | 'transaction' | 'unleased'

/** A job queue, as an application uses it: written once for each peer as its documentation recommends for speed. */
export interface JobQueue {
  /** Adds one job, which is stored when this resolves. */
  enqueue(payload: Payload): Promise<unknown>
  /** Adds many jobs at once. */
  enqueueMany(payloads: readonly Payload[]): Promise<unknown>
  /** Runs a handler that does nothing with every job; resolves when it was called so many times. */
  run(jobs: number, mode: Mode): Promise<void>
  /** Starts a worker that has nothing to do yet, with settings for promptness; gives what stops it. Where a peer is measured by it. */
  wait?(onJob: (payload: Payload) => void): Promise<() => Promise<unknown>>
  close(): Promise<void>
}

/** What each module in `queue/peers` exports. */
export interface QueueModule {
  open(target: Target): Promise<JobQueue>
}

/** Resolves when it was called so many times: what a handler that does nothing calls. */
export class Countdown {
  readonly reached: Promise<void>
  readonly #resolve: () => void
  #left: number

  constructor(calls: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.reached = promise
    this.#resolve = resolve
    this.#left = calls
  }

  /** Counts one call. */
  tick(): void {
    if (--this.#left === 0) this.#resolve()
  }
}
