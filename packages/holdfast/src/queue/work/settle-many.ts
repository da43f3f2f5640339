import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { type Ending, endingOf, isConflict, type Jobs } from './attempt.ts'
import { Discard, Snooze } from './endings.ts'
import type { Interruption } from './interruption.ts'
import { resultOf } from './result.ts'

/**
 * What becomes of each of many jobs, by what their handler gave.
 *
 * @throws what is about all of them: the attempts of all have then failed, or were put off.
 */
export async function settleMany(
  scope: QueueScope,
  jobs: Jobs,
  interruption: Interruption,
  given: unknown,
): Promise<ReadonlyMap<Job, Ending>> {
  // Thrown, they are about all of the jobs.
  if (given instanceof Snooze || given instanceof Discard) throw given
  if (given !== undefined && (!Array.isArray(given) || given.length !== jobs.length)) {
    const what = Array.isArray(given) ? `a list of ${given.length}` : `no list (${typeof given})`
    throw new TypeError(
      `A handler of many jobs gives nothing, or a list with what becomes of each: it was given ${jobs.length} jobs and gave ${what}.`,
    )
  }
  const settled = await Promise.allSettled((given as unknown[] | undefined) ?? jobs.map(() => undefined))
  return new Map(jobs.map((job, at) => [job, settledEnding(scope, job, interruption, settled[at] as Settled)]))
}

type Settled = PromiseSettledResult<unknown>

function settledEnding(scope: QueueScope, job: Job, interruption: Interruption, settled: Settled): Ending {
  try {
    if (settled.status === 'rejected') throw settled.reason
    const { value } = settled
    if (value instanceof Error) throw value
    return { kind: 'completed', result: resultOf(scope, value), committed: false }
  } catch (error) {
    // The transaction of all met another one.
    if (isConflict(error)) throw error
    return endingOf(error, interruption, job)
  }
}
