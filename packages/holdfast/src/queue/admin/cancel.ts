import type { Plan } from '../../backend/index.ts'
import { checkKnown, checkWhole } from '../../schema/index.ts'
import {
  all,
  ascending,
  type Condition,
  equals,
  modelScope,
  oneOf,
  readWhere,
  Shape,
  type Statement,
} from '../../statement/index.ts'
import { bringToEnd } from '../finish/bring-to-end.ts'
import type { Removed } from '../finish/finishing.ts'
import { dropLinks } from '../flow/flow.ts'
import { checkCall } from '../job/check-call.ts'
import { jobOf } from '../job/job.ts'
import { checkFilter, FILTER_OPTIONS, type JobFilter, whereOf } from '../job/job-filter.ts'
import { isJobId } from '../job/job-id.ts'
import { liveJobs } from '../job/models.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { checkState, LIVE_STATES, storedStates } from '../job/states.ts'
import { controlTopicOf } from '../job/topics.ts'
import { checkIds } from './check-filter.ts'

/** Which jobs `cancelMany` ends: all that have not finished unless given. */
export interface CancelFilter<Data = unknown> extends JobFilter<Data> {
  /** These. */
  readonly ids?: readonly string[]
  /** Those that stand so. */
  readonly state?: (typeof LIVE_STATES)[number]
  /** At most so many, the oldest first; 1,000 unless given. */
  readonly limit?: number
}

const DEFAULT_LIMIT = 1_000

/**
 * Ends jobs that a filter names; gives how many there were.
 *
 * @throws ValidationError for an unknown or wrong option.
 */
export async function cancelChosen(scope: QueueScope, filter: CancelFilter): Promise<number> {
  checkCall(scope.queue, (issues) => {
    checkKnown(filter, ['ids', 'state', 'limit', ...FILTER_OPTIONS], '', issues)
    checkIds(filter?.ids, issues)
    checkState(filter?.state, LIVE_STATES, issues)
    checkFilter(filter, issues)
    if (filter?.limit !== undefined) checkWhole(filter.limit, 1, 'limit', issues)
  })
  const { ids, state, limit = DEFAULT_LIMIT } = filter
  const where = {
    queue: scope.queue,
    ...(ids !== undefined && { id: { in: ids.filter(isJobId) } }),
    ...(state !== undefined && { state: { in: storedStates(state) } }),
    ...whereOf(filter),
  }
  return scope.session.transaction(async (session) => {
    const shape = new Shape('queue cancel chosen')
    const condition = readWhere(where, modelScope(liveJobs), shape) as Condition
    const most = shape.add(limit)
    const plan = session.plan(shape.key, () => removing(condition, most))
    return cancel({ ...scope, session }, plan, shape.parameters)
  }, OWN)
}

/** Ends jobs that have not finished, by ids that jobs can have, and tells the workers that run them; gives how many there were. */
export async function cancelJobs(scope: QueueScope, ids: readonly string[]): Promise<number> {
  return scope.session.transaction((session) => {
    const plan = session.plan('queue cancel', () => removing(all(equals('queue', 0), oneOf('id', 1))))
    return cancel({ ...scope, session }, plan, [scope.queue, ids])
  }, OWN)
}

/** What takes jobs out of the live ones: chosen and taken by one statement, so that none is taken that has changed in between. */
function removing(where: Condition, limit?: number): Statement {
  return {
    kind: 'delete',
    model: liveJobs.name,
    where,
    orderBy: limit === undefined ? [] : ascending('id'),
    ...(limit !== undefined && { limit }),
    returning: liveJobs.columns.map(({ name }) => name),
  }
}

/** Ends the jobs that a plan takes out of the live ones, in a transaction; gives how many there were. */
async function cancel(scope: QueueScope, plan: Plan, parameters: readonly unknown[]): Promise<number> {
  const { session, queue } = scope
  const { rows } = await session.execute(plan, parameters)
  if (rows.length === 0) return 0
  const blocked = rows.filter((row) => row['state'] === 'blocked').map((row) => row['id'] as string)
  if (blocked.length > 0) await dropLinks(session, blocked)
  const finishing = rows.map((row) => ({ job: jobOf(row), state: 'cancelled' as const, result: null }))
  await bringToEnd(scope, finishing, rows as unknown as Removed[])
  if (rows.some((row) => row['state'] === 'active')) session.notify(controlTopicOf(queue))
  return rows.length
}
