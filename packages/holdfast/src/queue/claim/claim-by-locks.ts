import { ascending, outputs } from '../../statement/index.ts'
import { isSuspect, type Job, jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { hasLimits } from '../limits/limits.ts'
import { examine } from './bury.ts'
import type { Frontier } from './frontier.ts'
import { type Place, TAKEN, waiting, waitingParameters } from './take.ts'

/** Whether jobs of a queue may be taken without leases: limits are kept by leases, which say how much runs. */
export function mayDoWithoutLeases(scope: QueueScope): boolean {
  return !hasLimits(scope)
}

/**
 * Takes up to `count` waiting jobs, the most urgent first, by locking their rows until the transaction of the scope ends. They have no lease: to
 * everybody else they wait until it is committed. Undefined where some cannot be run, or should be run with care, which is done under leases.
 */
export async function claimByLocks(
  scope: QueueScope,
  count: number,
  frontier: Frontier,
): Promise<readonly Job[] | undefined> {
  const { jobs: taken, failure } = await frontier.take(count, lockingAnew(scope, count))
  if (failure !== undefined) throw failure
  if (taken.some(isSuspect)) return undefined
  const { jobs, buried } = await examine(scope, taken)
  return buried.length === 0 ? jobs : undefined
}

/** Locks jobs for a frontier. A transaction does not pass over what it has locked itself, so what is found again is left out. */
function lockingAnew(scope: QueueScope, count: number): (wanted: number, from?: Place) => Promise<Job[]> {
  const locked = new Set<string>()
  return async (wanted, from) => {
    const jobs = await lockWaiting(scope, from === undefined ? count : wanted, from)
    const others = locked.size === 0 ? jobs : jobs.filter(({ id }) => !locked.has(id)).slice(0, wanted)
    for (const { id } of others) locked.add(id)
    return others
  }
}

/** Locks waiting jobs, and passes over what others have locked. */
async function lockWaiting(scope: QueueScope, count: number, from?: Place): Promise<Job[]> {
  const { session, queue } = scope
  const plan = session.plan(from === undefined ? 'queue lock' : 'queue lock on', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(TAKEN),
    where: waiting(0, from),
    orderBy: ascending('precedence', 'runAt', 'id'),
    limit: 3,
    locked: true,
    skipLocked: true,
  }))
  const { rows } = await session.execute(plan, waitingParameters(scope, count, from))
  const known = { queue, state: 'active', token: null }
  return rows.map((row) => {
    row['attempt'] = (row['attempt'] as number) + 1
    return jobOf(row, known)
  })
}
