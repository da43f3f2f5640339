import type { Row, Session } from '../../backend/index.ts'
import { SerializationError } from '../../base/errors.ts'
import type { QueueDeclaration } from '../../schema/index.ts'
import { all, compareText, equals, oneOf, outputs, proposed } from '../../statement/index.ts'
import { dropLinks, findBlockers, link, refuseCycles } from '../flow/flow.ts'
import { dropSteps } from '../flow/recorded-steps.ts'
import { acceptJobs, type Entry, type NewJob } from '../job/accept-job.ts'
import { tellAdding } from '../job/channels.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { type Job, jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import { OWN } from '../job/scope.ts'
import { followUpTopicOf, laterTopicOf, topicOf } from '../job/topics.ts'
import { admit, groupLimitOf } from '../limits/groups.ts'
import { giveWindows, holdReplaced, type Replaced, takeWindows } from './duplicates.ts'
import { addPlain, isPlain } from './plain.ts'

const COLUMNS = liveJobs.columns.map(({ name }) => name)
/** What only the database knows of a job that is added: which one it is, where it took the place of another, and its time. */
const UNKNOWN = ['id', 'key', 'runAt', 'createdAt']
/** The columns of a job that are set anew when another takes its place. */
const REPLACED = [
  'state',
  'ready',
  'precedence',
  'runAt',
  'dueAt',
  'attempt',
  'maxAttempts',
  'group',
  'admitted',
  'blockers',
  'stepped',
  'data',
  'version',
  'settings',
  'progress',
  'errors',
]

/** Workers look at what is scheduled every second unless told otherwise; what becomes due before that they look at once. */
const SOON_MS = 1_000

/** Adds jobs, all or none. */
export async function enqueueAll(
  session: Session,
  queue: string,
  declaration: QueueDeclaration | undefined,
  entries: readonly Entry[],
): Promise<Job[]> {
  const accepted = acceptJobs(queue, declaration, entries)
  if (accepted.length === 0) return []
  return tellAdding(queue, accepted.length, (carrier) => {
    const carried = ({ settings }: NewJob) => (carrier === undefined ? settings : { ...settings, carrier })
    const jobs = carrier === undefined ? accepted : accepted.map((job) => ({ ...job, settings: carried(job) }))
    return addAll(session, queue, declaration, jobs)
  })
}

async function addAll(
  session: Session,
  queue: string,
  declaration: QueueDeclaration | undefined,
  jobs: readonly NewJob[],
): Promise<Job[]> {
  const added = jobs.every(isPlain)
    ? await addPlain(session, queue, jobs)
    : jobs.some(needsMore)
      ? await session.transaction((inner) => addWithCare(inner, queue, declaration, jobs), OWN)
      : await add(session, queue, jobs)
  for (const topic of new Set(jobs.map((job) => topicFor(session, queue, job)))) session.notify(topic)
  return added
}

/**
 * What workers are told of a job: whoever is told that there are jobs takes what waits; whoever is told of what follows looks for what is due,
 * and when the next will be; whoever is told of what comes later looks for the latter alone.
 */
function topicFor({ clock }: Session, queue: string, { due, when }: NewJob): string {
  if (due) return topicOf(queue)
  const inMs = 'at' in when ? when.at.getTime() - clock.now() : when.inMs
  return inMs <= SOON_MS ? followUpTopicOf(queue) : laterTopicOf(queue)
}

/** Whether a job needs more than a row. */
function needsMore({ onDuplicate, windowMs, group, after }: NewJob): boolean {
  return onDuplicate !== 'ignore' || windowMs !== null || group !== null || after.length > 0
}

/** Adds jobs whose keys have a policy, that belong to groups, or that come after others: a few statements, however many there are. */
async function addWithCare(
  session: Session,
  queue: string,
  declaration: QueueDeclaration | undefined,
  jobs: readonly NewJob[],
): Promise<Job[]> {
  const known = await takeWindows(session, queue, jobs)
  const fresh = oneOfEachKey(jobs.filter(({ id }) => !known.has(id)))
  const held = await holdReplaced(session, queue, fresh)
  await refuseCycles(session, queue, fresh, held)
  const blockers = await findBlockers(session, queue, fresh)
  const added = await add(session, queue, fresh, new Map([...blockers].map(([id, own]) => [id, own.length])))
  await replaceTies(session, fresh, added, held, blockers)
  // Those that were replaced leave their places to others of their groups.
  const groups = new Set([...fresh, ...held].flatMap(({ group }) => (group === null ? [] : [group])))
  const admitted = await admit(session, queue, groups, groupLimitOf(declaration))
  const byId = new Map(fresh.map(({ id }, index) => [id, added[index] as Job]))
  const byKey = new Map(fresh.map(({ id, key }) => [key, byId.get(id) as Job]))
  const given = new Map(jobs.map((job) => [job, (byId.get(job.id) ?? known.get(job.id) ?? byKey.get(job.key)) as Job]))
  const reserved = jobs.filter(({ id }) => !known.has(id))
  await giveWindows(session, queue, reserved, given)
  return [...given.values()].map((job) => (admitted.has(job.id) ? { ...job, waitsFor: 'worker' } : job))
}

/**
 * Ties the jobs that were added to those that they come after. One that took the place of another has its id, and neither its steps nor
 * what that one came after.
 */
async function replaceTies(
  session: Session,
  jobs: readonly NewJob[],
  added: readonly Job[],
  held: readonly Replaced[],
  blockers: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const pairs = jobs.map((job, index) => ({ job, id: (added[index] as Job).id }))
  const replaced = pairs.filter(({ job, id }) => job.onDuplicate !== 'ignore' && id !== job.id).map(({ id }) => id)
  const known = new Set(held.map(({ id }) => id))
  if (replaced.some((id) => !known.has(id)))
    throw new SerializationError('A job was enqueued with a key that another transaction was enqueueing.')
  if (replaced.length > 0) await dropLinks(session, replaced)
  const stepped = held.filter((job) => job.stepped).map(({ id }) => id)
  if (stepped.length > 0) await dropSteps(session, stepped)
  // The others were not added, since a job had their keys.
  const tied = pairs.filter(({ job, id }) => job.onDuplicate !== 'ignore' || id === job.id)
  await link(
    session,
    tied.flatMap(({ job, id }) =>
      (blockers.get(job.id) ?? []).map((after) => ({ after, job: id, onFailure: job.onFailure })),
    ),
  )
}

/** Of jobs of one call with the same key only one is added: the last that is to take the place of others, or else the first. */
function oneOfEachKey(jobs: readonly NewJob[]): NewJob[] {
  const chosen = new Map<string | null, NewJob>()
  for (const job of jobs) if (job.onDuplicate !== 'ignore' || !chosen.has(job.key)) chosen.set(job.key, job)
  return jobs.filter((job) => job.key === null || chosen.get(job.key) === job)
}

/** Adds jobs in one statement for each way of saying when; for one whose key is taken, the job that has it is given. */
async function add(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
  blockers: ReadonlyMap<string, number> = new Map(),
): Promise<Job[]> {
  const byId = new Map<string, Row>()
  const byKey = new Map<string | null, Row>()
  // Where a job had the key and ended before it was looked at, nobody has it any more.
  for (
    let left = inOrder(oneOfEachKey(jobs));
    left.length > 0;
    left = left.filter(({ id, key }) => !byId.has(id) && !byKey.has(key))
  ) {
    for (const row of await insertAll(session, queue, left, blockers)) {
      byId.set(row['id'] as string, row)
      byKey.set(row['key'] as string | null, row)
    }
    const taken = left.filter(({ id, key }) => !byId.has(id) && !byKey.has(key)).map(({ key }) => key as string)
    for (const row of await findByKeys(session, queue, taken)) byKey.set(row['key'] as string, row)
  }
  return jobs.map(({ id, key }) => jobOf((byId.get(id) ?? byKey.get(key)) as Row))
}

/** By their keys, where some have them: two that add jobs with the same keys in different orders would wait for each other. */
function inOrder(jobs: readonly NewJob[]): readonly NewJob[] {
  if (jobs.length === 1 || jobs.every(({ key }) => key === null)) return jobs
  return jobs.toSorted((left, right) => compareText(left.key ?? '', right.key ?? ''))
}

async function insertAll(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
  blockers: ReadonlyMap<string, number>,
): Promise<Row[]> {
  const groups = Map.groupBy(
    jobs,
    (job) => `${'at' in job.when} ${job.onDuplicate !== 'ignore'} ${waits(job, blockers)}`,
  )
  const insertGroups = async (on: Session): Promise<Row[]> => {
    const rows: Row[] = []
    let now: number | undefined
    for (const group of groups.values()) {
      const inserted = await insert(on, queue, now === undefined ? group : countedFrom(now, group), blockers)
      now ??= nowOf(group, inserted)
      rows.push(...inserted)
    }
    return rows
  }
  return groups.size === 1 ? insertGroups(session) : session.transaction(insertGroups, OWN)
}

/** The database's time when jobs were inserted, as far as it shows in them. */
function nowOf(jobs: readonly NewJob[], rows: readonly Row[]): number | undefined {
  for (const { id, key, when } of jobs) {
    const row = 'at' in when ? undefined : rows.find((one) => one['id'] === id || (key !== null && one['key'] === key))
    if (row !== undefined && 'inMs' in when) return (row['runAt'] as Date).getTime() - when.inMs
  }
  return undefined
}

/** Jobs of one call have one time, so that they are taken in their order however many statements add them. */
function countedFrom(now: number, jobs: readonly NewJob[]): NewJob[] {
  return jobs.map((job) => ('at' in job.when ? job : { ...job, when: { at: new Date(now + job.when.inMs) } }))
}

async function insert(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
  blockers: ReadonlyMap<string, number>,
): Promise<Row[]> {
  const isGiven = 'at' in (jobs[0] as NewJob).when
  const replaces = (jobs[0] as NewJob).onDuplicate !== 'ignore'
  const keyed = jobs.some(({ key }) => key !== null)
  const ready = waits(jobs[0] as NewJob, blockers)
  const isNow = (column: string) =>
    column === 'createdAt' || (!isGiven && (column === 'runAt' || (column === 'dueAt' && !ready)))
  const plan = session.plan(`queue insert ${isGiven} ${replaces} ${keyed} ${ready}`, () => ({
    kind: 'insert',
    model: liveJobs.name,
    columns: COLUMNS.map((column) => ({
      column,
      value: isNow(column) ? ('now' as const) : ('given' as const),
    })),
    leading: 0,
    ...(keyed && { onConflict: { columns: ['queue', 'key'], set: replaces ? REPLACED.map(proposed) : [] } }),
    returning: UNKNOWN,
  }))
  const offset = clockOffsetMs(session)
  const parameters: unknown[] = []
  const written = jobs.map((job) => {
    const time = 'at' in job.when ? job.when.at : offset + job.when.inMs
    const row = rowOf(job, queue, time, offset, blockers.get(job.id) ?? 0)
    for (const column of COLUMNS) parameters.push(row[column])
    return row
  })
  const { rows } = await session.execute(plan, parameters)
  if (rows.length === written.length) return written.map((row, index) => Object.assign(row, rows[index]))
  const returned = new Map(rows.map((row) => [row[replaces ? 'key' : 'id'], row]))
  return written.flatMap((row) => {
    const own = returned.get(row[replaces ? 'key' : 'id'])
    return own === undefined ? [] : [Object.assign(row, own)]
  })
}

/** Whether a job can be taken at once. */
function waits({ id, due, group }: NewJob, blockers: ReadonlyMap<string, number>): boolean {
  return due && group === null && !blockers.has(id)
}

function rowOf(job: NewJob, queue: string, time: Date | number, offset: number, blockers: number): Row {
  const { id, precedence, maxAttempts, key, group, data, version, settings, due } = job
  const ready = due && group === null && blockers === 0
  const state = ready ? 'waiting' : due || blockers > 0 ? 'blocked' : 'scheduled'
  return {
    id,
    queue,
    state,
    ready: ready || null,
    precedence,
    runAt: time,
    dueAt: ready ? null : time,
    attempt: 0,
    maxAttempts,
    key,
    group,
    admitted: false,
    blockers,
    awaited: false,
    stepped: false,
    token: null,
    data,
    version,
    settings,
    progress: null,
    errors: null,
    createdAt: offset,
  }
}

async function findByKeys(session: Session, queue: string, keys: readonly string[]): Promise<Row[]> {
  if (keys.length === 0) return []
  const plan = session.plan('queue find by keys', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    // Whoever adds a job is not given the lease of the one that runs.
    outputs: outputs(COLUMNS.filter((column) => column !== 'token')),
    where: all(equals('queue', 0), oneOf('key', 1)),
    orderBy: [],
  }))
  return (await session.execute(plan, [queue, keys])).rows
}
