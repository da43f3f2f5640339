import type { Row } from '../../backend/index.ts'
import { type Job, jobOf } from '../job/job.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { hasLimits, takeWithinLimits } from '../limits/limits.ts'
import { type Buried, bury, examine } from './bury.ts'
import type { Frontier } from './frontier.ts'
import { take } from './take.ts'

/** What was taken. */
export interface Claimed {
  readonly jobs: readonly Job[]
  /** Jobs that cannot be run: they have failed now. */
  readonly buried: readonly Buried[]
  /** Why some that cannot be run could not be ended: whoever takes them when their leases have run out tries again. */
  readonly failure?: unknown
}

/**
 * Takes up to `count` waiting jobs, the most urgent first, as far as the limits of the queue allow.
 *
 * @param frontier how far a worker has come; without one all are looked at.
 */
export async function claim(
  scope: QueueScope,
  count: number,
  leaseMs: number,
  frontier: Pick<Frontier, 'take'> = { take },
): Promise<Claimed> {
  const { session } = scope
  const ended: Buried[] = []
  for (;;) {
    const rows = hasLimits(scope)
      ? await session.transaction((inner) => takeLimited({ ...scope, session: inner }, count, leaseMs), OWN)
      : await frontier.take(scope, count, leaseMs)
    const { jobs, buried } = await examine(
      scope,
      rows.map((row) => jobOf(row)),
    )
    try {
      if (buried.length > 0) await bury(scope, buried)
    } catch (failure) {
      // Those beside them are taken, and can be run. In a transaction nothing can be done any more.
      if (jobs.length === 0 || session.inTransaction) throw failure
      return { jobs, buried: ended, failure }
    }
    ended.push(...buried)
    if (jobs.length > 0 || buried.length === 0) return { jobs, buried: ended }
  }
}

function takeLimited(scope: QueueScope, count: number, leaseMs: number): Promise<Row[]> {
  return takeWithinLimits(scope, count, (room) => take(scope, room, leaseMs))
}
