import type { Row } from '../../backend/index.ts'
import { type Job, jobOf } from '../job/job.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { hasLimits, takeWithinLimits } from '../limits/limits.ts'
import { type Buried, bury, type Examined, examine } from './bury.ts'
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
    const { jobs, buried } = hasLimits(scope)
      ? await session.transaction((inner) => takeLimited({ ...scope, session: inner }, count, leaseMs), OWN)
      : await examineRows(scope, await frontier.take(scope, count, leaseMs))
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

/** Those that cannot be run do not begin, so they are told apart before the others are counted. */
async function takeLimited(scope: QueueScope, count: number, leaseMs: number): Promise<Examined> {
  const jobs = new Map<unknown, Job>()
  const buried: Buried[] = []
  const begins = (row: Row) => jobs.has(row['id'])
  const rows = await takeWithinLimits(scope, count, begins, async (room) => {
    const taken = await take(scope, room, leaseMs)
    const examined = await examineRows(scope, taken)
    for (const job of examined.jobs) jobs.set(job.id, job)
    buried.push(...examined.buried)
    return taken
  })
  return { jobs: rows.filter(begins).map((row) => jobs.get(row['id']) as Job), buried }
}

function examineRows(scope: QueueScope, rows: readonly Row[]): Promise<Examined> {
  return examine(
    scope,
    rows.map((row) => jobOf(row)),
  )
}
