import { checkKnown, checkWhole } from '../../schema/index.ts'
import { all, equals, oneOf } from '../../statement/index.ts'
import { bringToEnd } from '../finish/bring-to-end.ts'
import type { Removed } from '../finish/finishing.ts'
import { dropLinks } from '../flow/flow.ts'
import { checkCall } from '../job/check-call.ts'
import { live } from '../job/find.ts'
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
  const found = await live(scope.session).find({ where, orderBy: { id: 'asc' }, limit } as never)
  if (found.length === 0) return 0
  return cancelJobs(
    scope,
    found.map((row) => row['id'] as string),
  )
}

/** Ends jobs that have not finished, by ids that jobs can have, and tells the workers that run them; gives how many there were. */
export async function cancelJobs(scope: QueueScope, ids: readonly string[]): Promise<number> {
  return scope.session.transaction(async (session) => {
    const plan = session.plan('queue cancel', () => ({
      kind: 'delete',
      model: liveJobs.name,
      where: all(equals('queue', 0), oneOf('id', 1)),
      orderBy: [],
      returning: liveJobs.columns.map(({ name }) => name),
    }))
    const { rows } = await session.execute(plan, [scope.queue, ids])
    const blocked = rows.filter((row) => row['state'] === 'blocked').map((row) => row['id'] as string)
    if (blocked.length > 0) await dropLinks(session, blocked)
    const finishing = rows.map((row) => ({ job: jobOf(row), state: 'cancelled' as const, result: null }))
    await bringToEnd({ ...scope, session }, finishing, rows as unknown as Removed[])
    if (rows.some((row) => row['state'] === 'active')) session.notify(controlTopicOf(scope.queue))
    return rows.length
  }, OWN)
}
