import { untilWritten } from '../finish/until-written.ts'
import type { Job } from '../job/job.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { hasLimits, takeWithinLimits } from '../limits/limits.ts'
import { type Buried, bury, type Examined, examine } from './bury.ts'
import type { Frontier, Taken } from './frontier.ts'
import { handBack, uncount } from './leases.ts'
import { take } from './take.ts'

/** What was taken. */
export interface Claimed {
  readonly jobs: readonly Job[]
  /** Jobs that cannot be run: they have failed now. */
  readonly buried: readonly Buried[]
  /**
   * Why no more could be looked for, or why some that cannot be run could not be ended: whoever takes these when their leases have run out
   * tries again.
   */
  readonly failure?: unknown
}

/**
 * Takes up to `count` waiting jobs, the most urgent first, as far as the limits of the queue allow.
 *
 * @param frontier how far a worker has come; without one all are looked at.
 */
export async function claim(scope: QueueScope, count: number, leaseMs: number, frontier?: Frontier): Promise<Claimed> {
  const { session } = scope
  const ended: Buried[] = []
  for (;;) {
    const { jobs, buried, failure } = hasLimits(scope)
      ? await session.transaction((inner) => takeLimited({ ...scope, session: inner }, count, leaseMs), OWN)
      : await takeFreely(scope, count, leaseMs, frontier)
    try {
      if (buried.length > 0) await bury(scope, buried)
    } catch (failure) {
      // In a transaction nothing can be done any more.
      if (session.inTransaction) throw failure
      await leaveUnbegun(scope, buried, leaseMs)
      // Those beside them are taken, and can be run.
      if (jobs.length === 0) throw failure
      return { jobs, buried: ended, failure }
    }
    ended.push(...buried)
    if (jobs.length > 0 || buried.length === 0) return { jobs, buried: ended, failure }
  }
}

/** Jobs that could not be ended must not count as begun: a late one would be run when its lease has run out. */
async function leaveUnbegun({ session }: QueueScope, buried: readonly Buried[], leaseMs: number): Promise<void> {
  const jobs = buried.map(({ job }) => job)
  // No longer than between two signs of life: those beside them wait for it. Why they could not be ended is told in any case.
  await untilWritten(() => uncount(session, jobs), leaseMs / 3).catch(() => undefined)
}

/** What was taken and looked at. */
interface Looked extends Examined {
  readonly failure?: unknown
}

async function takeFreely(
  scope: QueueScope,
  count: number,
  leaseMs: number,
  frontier: Frontier | undefined,
): Promise<Looked> {
  const { jobs: taken, failure }: Taken =
    frontier === undefined
      ? { jobs: await take(scope, count, leaseMs) }
      : await frontier.take(count, (wanted, from) => take(scope, wanted, leaseMs, from))
  try {
    return { ...(await examine(scope, taken)), failure }
  } catch (error) {
    // None of them has begun, so it must not count as an attempt. A transaction takes it all back.
    if (!scope.session.inTransaction) await untilWritten(() => handBack(scope.session, taken), leaseMs)
    throw error
  }
}

/** Those that cannot be run do not begin, so they are told apart before the others are counted. */
async function takeLimited(scope: QueueScope, count: number, leaseMs: number): Promise<Looked> {
  const jobs = new Map<string, Job>()
  const buried: Buried[] = []
  const begins = ({ id }: Job) => jobs.has(id)
  const begun = await takeWithinLimits(scope, count, begins, async (room) => {
    const taken = await take(scope, room, leaseMs)
    const examined = await examine(scope, taken)
    for (const job of examined.jobs) jobs.set(job.id, job)
    buried.push(...examined.buried)
    return taken
  })
  return { jobs: begun.filter(begins).map(({ id }) => jobs.get(id) as Job), buried }
}
