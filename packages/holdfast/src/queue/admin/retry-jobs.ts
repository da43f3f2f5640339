import type { Row, Session } from '../../backend/index.ts'
import { ConflictError } from '../../base/errors.ts'
import { checkKnown, checkWhole } from '../../schema/index.ts'
import { all, oneOf } from '../../statement/index.ts'
import { allBehind, awaitEnd, awaitedAmong, type Link, link, putBehind } from '../flow/flow.ts'
import { checkCall } from '../job/check-call.ts'
import { finished, live } from '../job/find.ts'
import { jobOf } from '../job/job.ts'
import { checkFilter, FILTER_OPTIONS, type JobFilter, whereOf } from '../job/job-filter.ts'
import { isJobId } from '../job/job-id.ts'
import { finishedJobs } from '../job/models.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { checkState } from '../job/states.ts'
import { topicOf } from '../job/topics.ts'
import { admit, groupLimitOf } from '../limits/groups.ts'
import { checkIds, checkTime } from './check-filter.ts'
import { addAgain, liveAgain } from './live-again.ts'

/** Which finished jobs `retryMany` queues again. */
export interface RetryFilter<Data = unknown> extends JobFilter<Data> {
  /** These; all unless given. */
  readonly ids?: readonly string[]
  /** `failed` unless given, except that `retry(id)` takes either. */
  readonly state?: 'failed' | 'cancelled'
  /** Those that finished at this time or later. */
  readonly after?: Date
  /** At most so many, the latest first; 1,000 unless given. */
  readonly limit?: number
}

const DEFAULT_LIMIT = 1_000
const MAX_TRIES = 10

/**
 * Makes finished jobs live again that a filter names; gives how many.
 *
 * @throws ValidationError for an unknown or wrong option.
 */
export async function retryChosen(scope: QueueScope, filter: RetryFilter): Promise<number> {
  checkCall(scope.queue, (issues) => {
    checkKnown(filter, ['ids', 'state', 'after', 'limit', ...FILTER_OPTIONS], '', issues)
    checkIds(filter?.ids, issues)
    checkState(filter?.state, ['failed', 'cancelled'], issues)
    checkFilter(filter, issues)
    checkTime(filter?.after, 'after', issues)
    if (filter?.limit !== undefined) checkWhole(filter.limit, 1, 'limit', issues)
  })
  return retryJobs(scope, filter)
}

/** Makes finished jobs live again, as if they had never been tried; gives how many. They come after the same jobs
 * as before, as far as those are live. One whose key a live job has stays finished. */
export async function retryJobs(scope: QueueScope, filter: RetryFilter): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await retryOnce(scope, filter)
    } catch (error) {
      // Somebody enqueued a key between the look and the write; the next look sees that.
      if (!(error instanceof ConflictError) || tries === MAX_TRIES) throw error
    }
  }
}

function retryOnce(scope: QueueScope, filter: RetryFilter): Promise<number> {
  const { queue, declaration } = scope
  return scope.session.transaction(async (session) => {
    const rows = await takeFinished(session, await chooseJobs(session, queue, filter))
    if (rows.length === 0) return 0
    const made = await linksOf(session, rows)
    const blocked = Map.groupBy(made, ({ job }) => job)
    // That it ended in a transaction is perhaps not yet known to jobs that come after it: these wait for it again.
    const stillAwaited = await awaitedAmong(
      session,
      rows.map((row) => row['id'] as string),
    )
    const awaited = stillAwaited.union(new Set(made.map(({ after }) => after)))
    const again = rows.map((row) => {
      const id = row['id'] as string
      return liveAgain(row, blocked.get(id)?.length ?? 0, awaited.has(id))
    })
    await addAgain(session, again)
    await link(session, made)
    const groups = new Set(rows.flatMap((row) => (row['group'] === null ? [] : [row['group'] as string])))
    await admit(session, queue, groups, groupLimitOf(declaration))
    session.notify(topicOf(queue))
    return rows.length
  }, OWN)
}

async function chooseJobs(session: Session, queue: string, filter: RetryFilter): Promise<string[]> {
  const { ids, state, after, limit = DEFAULT_LIMIT } = filter
  const states = state === undefined ? (ids === undefined ? ['failed'] : ['failed', 'cancelled']) : [state]
  const where = {
    queue,
    state: { in: states },
    ...(ids !== undefined && { id: { in: ids.filter(isJobId) } }),
    ...(after !== undefined && { finishedAt: { gte: after } }),
    ...whereOf(filter),
  }
  const found = await finished(session).find({ where, orderBy: { finishedAt: 'desc' }, limit } as never)
  const keys = [...new Set(found.map((row) => row['key']).filter((key) => key !== null))]
  const taken = keys.length === 0 ? [] : await live(session).find({ where: { queue, key: { in: keys } } } as never)
  const used = new Set(taken.map((row) => row['key']))
  const chosen = found.filter(({ key }) => {
    const isFree = key === null || !used.has(key)
    if (key !== null) used.add(key)
    return isFree
  })
  return chosen.map((row) => row['id'] as string)
}

/** Takes jobs out of the finished ones; those that somebody else took meanwhile are not given. */
async function takeFinished(session: Session, ids: readonly string[]): Promise<Row[]> {
  const plan = session.plan('queue take finished', () => ({
    kind: 'delete',
    model: finishedJobs.name,
    // Those that were queued again and have completed since they were chosen stay as they are.
    where: all(oneOf('id', 0), oneOf('state', 1)),
    orderBy: [],
    returning: finishedJobs.columns.map(({ name }) => name),
  }))
  return ids.length === 0 ? [] : (await session.execute(plan, [ids, ['failed', 'cancelled']])).rows
}

/**
 * What the jobs come after of what is live, or becomes so with them. Of some that came after each other, one having been replaced when the other
 * had ended, one comes first: else neither would ever run.
 */
async function linksOf(session: Session, rows: readonly Row[]): Promise<Link[]> {
  const jobs = rows.map((row) => jobOf(row)).sort((left, right) => (left.id < right.id ? -1 : 1))
  const before = [...new Set(jobs.flatMap(({ after }) => after))]
  if (before.length === 0) return []
  const waits = new Set([...(await awaitEnd(session, before)), ...jobs.map(({ id }) => id)])
  const next = new Map<string, string[]>()
  const made: Link[] = []
  for (const { id, after, settings } of jobs) {
    const behind = allBehind(id, next)
    for (const other of after) {
      if (!waits.has(other) || behind.has(other)) continue
      putBehind(other, id, next)
      made.push({ after: other, job: id, onFailure: settings?.onFailure ?? 'fail' })
    }
  }
  return made
}
