import type { Row, Session } from '../../backend/index.ts'
import { NotFoundError, ValidationError } from '../../base/errors.ts'
import { add, all, compare, equals, isAhead, isNull, oneOf, outputs, set } from '../../statement/index.ts'
import type { NewJob } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { isJobId } from '../job/job-id.ts'
import { finishedJobs, links, liveJobs } from '../job/models.ts'

/** A job that comes after another one. */
export interface Link {
  readonly after: string
  readonly job: string
  readonly onFailure: 'fail' | 'run'
}

/**
 * Which of the jobs that the new ones come after have not ended, by the ids of the new ones.
 *
 * Those jobs are locked, so that none ends unseen: it either ended before this, or finds the links when it does.
 *
 * @throws NotFoundError for a job that is not there (any more); ValidationError for one that has failed, unless that does not matter.
 */
export async function findBlockers(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const named = new Set(jobs.flatMap(({ after }) => after))
  if (named.size === 0) return new Map()
  const before = [...named].filter(isJobId)
  const live = new Set(await awaitEnd(session, before))
  const ended = await statesOf(
    session,
    before.filter((id) => !live.has(id)),
  )
  // Those that were made live again between the two looks.
  const missing = before.filter((id) => !live.has(id) && !ended.has(id))
  if (missing.length > 0) for (const id of await awaitEnd(session, missing)) live.add(id)
  const blockers = new Map<string, string[]>()
  for (const { id, after, onFailure } of jobs) {
    for (const other of after) {
      const state = ended.get(other)
      if (live.has(other)) blockers.set(id, [...(blockers.get(id) ?? []), other])
      else if (state === undefined)
        throw new NotFoundError('any queue', other, 'Enqueue the job that others come after before them.')
      else if (state !== 'completed' && onFailure === 'fail') throw hasFailed(queue, other, state)
    }
  }
  return blockers
}

/**
 * Only a job that takes the place of another can come after one that comes after it: neither would ever run.
 *
 * @throws ValidationError naming such a job.
 */
export async function refuseCycles(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
  replaced: readonly { readonly id: string; readonly key: string; readonly awaited: boolean }[],
): Promise<void> {
  const idOf = new Map(replaced.map(({ id, key }) => [key, id]))
  const replacing = jobs.flatMap(({ key, after }) => {
    const id = key === null ? undefined : idOf.get(key)
    return id === undefined ? [] : [{ id, after }]
  })
  if (replacing.every(({ after }) => after.length === 0)) return
  const roots = replaced.filter(({ awaited }) => awaited).map(({ id }) => id)
  const next = await linksBehind(session, roots, new Set(replacing.map(({ id }) => id)))
  for (const { id, after } of replacing) for (const before of after) putBehind(before, id, next)
  const [cycle] = replacing.flatMap(({ id, after }) => {
    const behind = allBehind(id, next)
    return after.filter((before) => behind.has(before))
  })
  if (cycle === undefined) return
  const reason = `names the job ${cycle}, which is the one that it replaces or comes after it`
  throw new ValidationError(`A job of ${queue} was refused`, [{ path: 'after', reason }])
}

/** Which jobs come after which, from some on; without what those come after that are replaced, which is forgotten. */
async function linksBehind(
  session: Session,
  roots: readonly string[],
  replaced: ReadonlySet<string>,
): Promise<Map<string, string[]>> {
  const next = new Map<string, string[]>()
  const seen = new Set(roots)
  for (let ids = [...roots]; ids.length > 0; ) {
    const found = (await linksAfter(session, ids)).filter(({ job }) => !replaced.has(job))
    for (const [after, some] of Map.groupBy(found, (one) => one.after))
      next.set(
        after,
        some.map(({ job }) => job),
      )
    ids = [...new Set(found.map(({ job }) => job))].filter((job) => !seen.has(job))
    for (const id of ids) seen.add(id)
  }
  return next
}

async function linksAfter(session: Session, ids: readonly string[]): Promise<Pick<Link, 'after' | 'job'>[]> {
  const plan = session.plan('queue jobs after', () => ({
    kind: 'select',
    model: links.name,
    joins: [],
    outputs: outputs(['after', 'job']),
    where: oneOf('after', 0),
    orderBy: [],
  }))
  return (await session.execute(plan, [ids])).rows as unknown as Pick<Link, 'after' | 'job'>[]
}

/** Adds a job to those that come right after another. */
export function putBehind(before: string, id: string, next: Map<string, string[]>): void {
  const known = next.get(before)
  if (known === undefined) next.set(before, [id])
  else known.push(id)
}

/** A job, and all that come after it. */
export function allBehind(id: string, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const behind = new Set([id])
  for (const one of behind) for (const job of next.get(one) ?? []) behind.add(job)
  return behind
}

function hasFailed(queue: string, id: string, state: string): ValidationError {
  const reason = `names the job ${id}, which has ${state === 'failed' ? 'failed' : 'been cancelled'}; give onFailure: 'run' to run all the same`
  return new ValidationError(`A job of ${queue} was refused`, [{ path: 'after', reason }])
}

/** Makes live jobs tell when they end; gives the ids of those that are live. */
export async function awaitEnd(session: Session, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const plan = session.plan('queue await', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('awaited', 0)],
    where: oneOf('id', 1),
    orderBy: [],
    returning: ['id'],
  }))
  return new Set((await session.execute(plan, [true, ids])).rows.map((row) => row['id'] as string))
}

/** Those of the jobs that others come after, which wait for them. */
export async function awaitedAmong(session: Session, ids: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set((await linksAfter(session, ids)).map(({ after }) => after))
}

async function statesOf(session: Session, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const plan = session.plan('queue finished states', () => ({
    kind: 'select',
    model: finishedJobs.name,
    joins: [],
    outputs: outputs(['id', 'state']),
    where: oneOf('id', 0),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [ids])
  return new Map(rows.map((row) => [row['id'] as string, row['state'] as string]))
}

/** Notes which jobs come after which. */
export async function link(session: Session, made: readonly Link[]): Promise<void> {
  if (made.length === 0) return
  const plan = session.plan('queue insert links', () => ({
    kind: 'insert',
    model: links.name,
    columns: ['after', 'job', 'onFailure'].map((column) => ({ column, value: 'given' as const })),
    leading: 0,
    returning: [],
  }))
  await session.execute(
    plan,
    made.flatMap(({ after, job, onFailure }) => [after, job, onFailure]),
  )
}

/** What the end of some jobs means for those that come after them. */
export interface Consequences {
  /** Rows (`queue`, `group`) of jobs that nothing holds up any more, except perhaps their group. */
  readonly freed: readonly Row[]
  /** The ids of jobs that fail, because one before them did. */
  readonly doomed: readonly string[]
}

/** Takes ended jobs out of the way of those that come after them. */
export async function settleLinks(
  session: Session,
  ended: ReadonlyMap<string, 'completed' | 'failed' | 'cancelled'>,
): Promise<Consequences> {
  const found = await takeLinks(session, [...ended.keys()])
  const fails = ({ after, onFailure }: Link) => onFailure === 'fail' && ended.get(after) !== 'completed'
  const doomed = new Set(found.filter(fails).map(({ job }) => job))
  const counts = [...Map.groupBy(found, ({ job }) => job)].filter(([job]) => !doomed.has(job))
  // Most jobs come after one job of a batch, so there are as many statements as there are different counts.
  for (const [count, some] of Map.groupBy(counts, ([, own]) => own.length))
    await lowerBlockers(
      session,
      some.map(([job]) => job),
      count,
    )
  const freed = await free(
    session,
    counts.map(([job]) => job),
  )
  return { freed, doomed: [...doomed] }
}

async function takeLinks(session: Session, ids: readonly string[]): Promise<Link[]> {
  const plan = session.plan('queue take links', () => ({
    kind: 'delete',
    model: links.name,
    where: oneOf('after', 0),
    orderBy: [],
    returning: ['after', 'job', 'onFailure'],
  }))
  return (await session.execute(plan, [ids])).rows as unknown as Link[]
}

/** Forgets what jobs came after, because they have ended themselves. */
export async function dropLinks(session: Session, jobs: readonly string[]): Promise<void> {
  const plan = session.plan('queue drop links', () => ({
    kind: 'delete',
    model: links.name,
    where: oneOf('job', 0),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [jobs])
}

async function lowerBlockers(session: Session, jobs: readonly string[], by: number): Promise<void> {
  const plan = session.plan('queue lower blockers', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [add('blockers', 0)],
    where: oneOf('id', 1),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [0 - by, jobs])
}

/** Jobs with nothing before them go on: to wait, or until their time comes. Those of groups stay for their group to let them through. */
async function free(session: Session, jobs: readonly string[]): Promise<Row[]> {
  if (jobs.length === 0) return []
  const unblocked = (at: number) => all(oneOf('id', at), equals('state', at + 1), compare('blockers', 'lte', at + 2))
  const later = session.plan('queue free later', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0)],
    where: all(unblocked(2), isAhead('dueAt', 1)),
    orderBy: [],
    returning: ['queue', 'group'],
  }))
  const now = session.plan('queue free now', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('ready', 1), set('dueAt', 2)],
    where: all(unblocked(3), isNull('group')),
    orderBy: [],
    returning: ['queue', 'group'],
  }))
  const grouped = session.plan('queue freed of groups', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['queue', 'group']),
    where: unblocked(0),
    orderBy: [],
  }))
  const offset = clockOffsetMs(session)
  // First these, and then all others: a job must not come due between two looks at the clock and be in neither.
  const { rows: scheduled } = await session.execute(later, ['scheduled', offset, jobs, 'blocked', 0])
  const { rows: waiting } = await session.execute(now, ['waiting', true, null, jobs, 'blocked', 0])
  const { rows: blocked } = await session.execute(grouped, [jobs, 'blocked', 0])
  return [...waiting, ...scheduled.map((row) => ({ ...row, group: null })), ...blocked]
}
