import { defineSchema, type QueueOptions, queue } from '../../packages/holdfast/src/index.ts'

/** The clock of a run goes on by hours. */
export const HOUR_MS = 3_600_000
const MARGIN_MS = HOUR_MS / 10

/**
 * A duration that ends between two hours. The tests' clock runs with the real time, so nothing may be due just when the clock has come there.
 */
export function hours(count: number): number {
  return count * HOUR_MS + MARGIN_MS
}

/** In which tenth of an hour of the run something was: as exact as times are compared. */
export function tenthOf(ms: number): number {
  return Math.floor(ms / MARGIN_MS)
}

const fixed = { kind: 'fixed', firstMs: hours(0), jitter: 0 } as const
const linear = { kind: 'linear', firstMs: hours(0), jitter: 0 } as const

/** The queues of a run, each with other options. */
export const QUEUES: Readonly<Record<string, QueueOptions>> = {
  plain: { maxAttempts: 3, backoff: linear, deadLetter: 'letters', keep: { completedMs: hours(3), failed: 3 } },
  wide: { maxAttempts: 2, backoff: fixed, groupConcurrency: 2, keep: { completed: 2, failedMs: hours(2) } },
  narrow: { maxAttempts: 2, backoff: fixed, concurrency: 2, startWithinMs: hours(1) },
  rated: { backoff: fixed, rate: { max: 2, perMs: hours(1) }, deadLetter: 'letters' },
  fair: { backoff: fixed, groupRate: { max: 1, perMs: hours(1) }, groupConcurrency: 2 },
  brief: { maxAttempts: 2, backoff: fixed, keep: { completed: 0 } },
  letters: { maxAttempts: 2, backoff: fixed },
}

/** A queue of which nothing is asked but to look. */
export const IDLE = 'idle'

/** A schema with the queues, whose names get the number of the run: so runs can share a database. */
export function schemaOf(run: number) {
  return defineSchema(
    Object.fromEntries(
      Object.entries(QUEUES).map(([name, options]) => [
        `${name}${run}`,
        queue<unknown>({ ...options, ...(options.deadLetter && { deadLetter: `${options.deadLetter}${run}` }) }),
      ]),
    ),
  )
}
