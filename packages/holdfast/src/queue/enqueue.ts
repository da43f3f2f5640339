import type { Row, Session } from '../backend/index.ts'
import type { Queue as QueueDeclaration } from '../schema/index.ts'
import { acceptJobs, type Entry, type NewJob } from './accept-job.ts'
import { tellAdding } from './channels.ts'
import { clockOffsetMs } from './clock.ts'
import { all, equals, oneOf, outputs, proposed } from './conditions.ts'
import { releaseActiveKeys, takeWindows } from './duplicates.ts'
import { blockOnOthers } from './flow.ts'
import { admit } from './groups.ts'
import { type Job, jobOf } from './job.ts'
import { liveJobs } from './models.ts'
import { OWN } from './scope.ts'
import { topicOf } from './topics.ts'

const COLUMNS = liveJobs.columns.map(({ name }) => name)
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
  'data',
  'settings',
  'errors',
]

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
  const added = jobs.some(needsMore)
    ? await session.transaction((inner) => addWithCare(inner, queue, declaration, jobs), OWN)
    : await add(session, queue, jobs)
  session.notify(topicOf(queue))
  return added
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
  const fresh = lastOfEachKey(jobs.filter(({ id }) => !known.has(id)))
  await releaseActiveKeys(session, queue, fresh)
  const blockers = await blockOnOthers(session, queue, fresh)
  const added = await add(session, queue, fresh, blockers)
  const groups = new Set(fresh.flatMap(({ group }) => (group === null ? [] : [group])))
  const admitted = await admit(session, queue, groups, declaration?.options.groupConcurrency ?? 1)
  const byId = new Map(fresh.map(({ id }, index) => [id, added[index] as Job]))
  const byKey = new Map(fresh.map(({ id, key }) => [key, byId.get(id) as Job]))
  return jobs.map(({ id, key }) => {
    const job = (byId.get(id) ?? known.get(id) ?? byKey.get(key)) as Job
    return admitted.has(job.id) ? { ...job, state: 'waiting' } : job
  })
}

/** Of jobs of one call that are to replace each other only the last is added. */
function lastOfEachKey(jobs: readonly NewJob[]): NewJob[] {
  const last = new Map(jobs.map((job) => [job.key, job]))
  return jobs.filter((job) => job.onDuplicate === 'ignore' || last.get(job.key) === job)
}

/** Adds jobs in one statement for each way of saying when; for one whose key is taken, the job that has it is given. */
async function add(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
  blockers: ReadonlyMap<string, number> = new Map(),
): Promise<Job[]> {
  const groups = Map.groupBy(
    jobs,
    (job) => `${'at' in job.when} ${job.onDuplicate !== 'ignore'} ${waits(job, blockers)}`,
  )
  const insertAll = async (on: Session): Promise<Row[]> => {
    const rows: Row[] = []
    for (const group of groups.values()) rows.push(...(await insert(on, queue, group, blockers)))
    return rows
  }
  const rows = groups.size === 1 ? await insertAll(session) : await session.transaction(insertAll, OWN)
  const byId = new Map(rows.map((row) => [row['id'] as string, row]))
  const byKey = new Map(rows.map((row) => [row['key'] as string | null, row]))
  const taken = jobs.filter(({ id, key }) => !byId.has(id) && !byKey.has(key)).map(({ key }) => key as string)
  for (const row of await findByKeys(session, queue, taken)) byKey.set(row['key'] as string, row)
  return jobs.map(({ id, key }) => jobOf((byId.get(id) ?? byKey.get(key)) as Row))
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
    returning: COLUMNS,
  }))
  const offset = clockOffsetMs(session)
  const parameters = jobs.flatMap((job) => {
    const time = 'at' in job.when ? job.when.at : offset + job.when.inMs
    const row = rowOf(job, queue, time, offset, blockers.get(job.id) ?? 0)
    return COLUMNS.map((column) => row[column])
  })
  return (await session.execute(plan, parameters)).rows
}

/** Whether a job can be taken at once. */
function waits({ id, due, group }: NewJob, blockers: ReadonlyMap<string, number>): boolean {
  return due && group === null && !blockers.has(id)
}

function rowOf(job: NewJob, queue: string, time: Date | number, offset: number, blockers: number): Row {
  const { id, precedence, maxAttempts, key, group, data, settings, due } = job
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
    blockers,
    awaited: false,
    stepped: false,
    token: null,
    data,
    settings,
    progress: null,
    errors: [],
    createdAt: offset,
  }
}

async function findByKeys(session: Session, queue: string, keys: readonly string[]): Promise<Row[]> {
  if (keys.length === 0) return []
  const plan = session.plan('queue find by keys', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(COLUMNS),
    where: all(equals('queue', 0), oneOf('key', 1)),
    orderBy: [],
  }))
  return (await session.execute(plan, [queue, keys])).rows
}
