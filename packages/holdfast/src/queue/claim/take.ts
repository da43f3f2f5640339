import { randomUUID } from 'node:crypto'
import { add, all, ascending, type Condition, compare, equals, set, setNow } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { type Job, jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import { latestKnown } from '../job/payload.ts'
import type { QueueScope } from '../job/scope.ts'

/** What is read of a job that is taken; the rest is known. */
export const TAKEN: readonly string[] = [
  'id',
  'precedence',
  'runAt',
  'attempt',
  'maxAttempts',
  'key',
  'group',
  'data',
  'version',
  'settings',
  'progress',
  'errors',
  'createdAt',
]

/** A place in the order in which jobs are taken: that of a job. */
export type Place = Pick<Job, 'priority' | 'runAt'>

/**
 * Takes up to `count` waiting jobs, the most urgent first, in one statement that passes over what others are taking.
 *
 * @param from takes only those of this priority that are to run then or later; all unless given.
 */
export async function take(scope: QueueScope, count: number, leaseMs: number, from?: Place): Promise<Job[]> {
  const { session, queue } = scope
  const plan = session.plan(from === undefined ? 'queue claim' : 'queue claim on', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('token', 1), setNow('dueAt', 2), add('attempt', 3), set('ready', 4)],
    where: waiting(5, from),
    orderBy: ascending('precedence', 'runAt', 'id'),
    limit: 8,
    skipLocked: true,
    returning: TAKEN,
    // Undone by a crash, the job waits again, and whoever held it has lost its lease.
    unsynced: true,
  }))
  const token = randomUUID()
  const plusMs = clockOffsetMs(session) + leaseMs
  const parameters = ['active', token, plusMs, 1, null, ...waitingParameters(scope, count, from)]
  const { rows } = await session.execute(plan, parameters)
  const known = { queue, state: 'active', token }
  return rows.map((row) => jobOf(row, known)).sort(byUrgency)
}

/** The condition that a job waits and that this process knows its version, from a place on where one is given: parameters from `first` on. */
export function waiting(first: number, from: Place | undefined): Condition {
  const anywhere = all(equals('queue', first), equals('ready', first + 1), compare('version', 'lte', first + 2))
  if (from === undefined) return anywhere
  return all(anywhere, equals('precedence', first + 4), compare('runAt', 'gte', first + 5))
}

/** The parameters of `waiting`, and between them how many jobs are taken. */
export function waitingParameters({ queue, declaration }: QueueScope, count: number, from?: Place): unknown[] {
  const parameters = [queue, true, latestKnown(declaration), count]
  return from === undefined ? parameters : [...parameters, 0 - from.priority, from.runAt]
}

/** Orders jobs as they are to be taken. */
export function byUrgency(left: Job, right: Job): number {
  return right.priority - left.priority || left.runAt.getTime() - right.runAt.getTime() || (left.id < right.id ? -1 : 1)
}
