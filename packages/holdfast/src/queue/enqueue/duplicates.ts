import type { Row, Session } from '../../backend/index.ts'
import { add, all, equals, isDue, oneOf, outputs, set } from '../../statement/index.ts'
import type { NewJob } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { findJobs } from '../job/find.ts'
import { type Job, jobOf } from '../job/job.ts'
import { keyWindows, liveJobs } from '../job/models.ts'

/**
 * Reserves keys for their windows; gives the jobs that had one reserved before, by the ids of those that are not added for it. Of one that
 * was forgotten since no more is known than its id and that it has ended.
 */
export async function takeWindows(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
): Promise<ReadonlyMap<string, Job>> {
  const known = new Map<string, Job>()
  const own = new Set(jobs.map(({ id }) => id))
  let left = jobs.filter(isThrottled)
  while (left.length > 0) {
    left = await reserve(session, queue, left)
    // Looked at only now: to read what is not there yet would put serializable transactions in each other's way.
    if (left.length === 0 || (await forgetEnded(session, queue, left)) > 0) continue
    const holders = await holdersOf(session, queue, left)
    const found = new Map((await findJobs(session, queue, [...new Set(holders.values())])).map((job) => [job.id, job]))
    for (const job of left) {
      const holder = holders.get(job.key as string)
      // Those that are reserved by one that comes first in this very call are added, and given that one.
      if (holder !== undefined && !own.has(holder))
        known.set(job.id, found.get(holder) ?? forgotten(session, queue, holder, job))
    }
    left = left.filter(({ key }) => !holders.has(key as string))
  }
  return known
}

/** The keys that were reserved stand for the jobs that were given: another may have had the key already, without a window. */
export async function giveWindows(
  session: Session,
  queue: string,
  reserved: readonly NewJob[],
  given: ReadonlyMap<NewJob, Job>,
): Promise<void> {
  const others = reserved.filter((job) => isThrottled(job) && given.get(job)?.id !== job.id)
  const plan = session.plan('queue give windows', () => ({
    kind: 'update',
    model: keyWindows.name,
    set: [set('job', 0)],
    where: all(equals('queue', 1), equals('key', 2), oneOf('job', 3)),
    orderBy: [],
    returning: [],
  }))
  for (const [key, same] of Map.groupBy(others, (job) => job.key)) {
    const holder = given.get(same[0] as NewJob)?.id
    const ids = same.map(({ id }) => id)
    await session.execute(plan, [holder, queue, key, ids])
  }
}

function isThrottled({ windowMs, onDuplicate }: NewJob): boolean {
  return windowMs !== null && onDuplicate === 'ignore'
}

function forgotten({ clock }: Session, queue: string, id: string, asked: NewJob): Job {
  const at = new Date(clock.now())
  return jobOf({ ...asked, id, queue, state: 'completed', runAt: at, attempt: 1, createdAt: at, finishedAt: at })
}

async function forgetEnded(session: Session, queue: string, jobs: readonly NewJob[]): Promise<number> {
  const plan = session.plan('queue forget windows', () => ({
    kind: 'delete',
    model: keyWindows.name,
    where: all(equals('queue', 0), oneOf('key', 1), isDue('until', 2)),
    orderBy: [],
    returning: [],
  }))
  return (await session.execute(plan, [queue, jobs.map(({ key }) => key), clockOffsetMs(session)])).count
}

/** Reserves keys; gives the jobs whose keys are reserved already. */
async function reserve(session: Session, queue: string, jobs: readonly NewJob[]): Promise<NewJob[]> {
  const plan = session.plan('queue reserve windows', () => ({
    kind: 'insert',
    model: keyWindows.name,
    columns: [
      { column: 'queue', value: 'given' },
      { column: 'key', value: 'given' },
      { column: 'job', value: 'given' },
      { column: 'until', value: 'now' },
    ],
    leading: 0,
    onConflict: { columns: ['queue', 'key'], set: [] },
    returning: ['job'],
  }))
  const offset = clockOffsetMs(session)
  const parameters = jobs.flatMap(({ id, key, windowMs }) => [queue, key, id, offset + (windowMs as number)])
  const reserved = new Set((await session.execute(plan, parameters)).rows.map((row) => row['job']))
  return jobs.filter(({ id }) => !reserved.has(id))
}

async function holdersOf(session: Session, queue: string, jobs: readonly NewJob[]): Promise<Map<string, string>> {
  const plan = session.plan('queue window holders', () => ({
    kind: 'select',
    model: keyWindows.name,
    joins: [],
    outputs: outputs(['key', 'job']),
    where: all(equals('queue', 0), oneOf('key', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [queue, jobs.map(({ key }) => key)])
  return new Map(rows.map((row) => [row['key'] as string, row['job'] as string]))
}

/** A job whose place another takes. */
export interface Replaced {
  readonly id: string
  readonly key: string
  readonly group: string | null
  readonly awaited: boolean
  readonly stepped: boolean
}

/**
 * Jobs that run keep going without their keys where others are to take their place. The others that have the keys stay locked, so that
 * nobody begins to run them before they are replaced; gives these.
 */
export async function holdReplaced(session: Session, queue: string, jobs: readonly NewJob[]): Promise<Replaced[]> {
  const keys = jobs.flatMap(({ key, onDuplicate }) => (onDuplicate === 'ignore' ? [] : [key as string]))
  if (keys.length === 0) return []
  const lock = session.plan('queue lock keys', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [add('blockers', 0)],
    where: all(equals('queue', 1), oneOf('key', 2)),
    orderBy: [],
    returning: ['id', 'key', 'state', 'group', 'awaited', 'stepped'],
  }))
  const { rows } = await session.execute(lock, [0, queue, keys])
  const [active, held] = [rows.filter(isActive), rows.filter((row) => !isActive(row))]
  if (active.length > 0) await releaseKeys(session, active)
  return held as unknown as Replaced[]
}

function isActive(row: Row): boolean {
  return row['state'] === 'active'
}

async function releaseKeys(session: Session, rows: readonly Row[]): Promise<void> {
  const plan = session.plan('queue release keys', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('key', 0)],
    where: oneOf('id', 1),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [null, rows.map((row) => row['id'])])
}
