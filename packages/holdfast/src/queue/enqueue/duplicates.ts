import type { Row, Session } from '../../backend/index.ts'
import { add, all, equals, isDue, oneOf, outputs, set } from '../../statement/index.ts'
import type { NewJob } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { findJobs } from '../job/find.ts'
import type { Job } from '../job/job.ts'
import { keyWindows, liveJobs } from '../job/models.ts'

/** Reserves keys for their windows; gives the jobs that had one reserved before, by the ids of those that are not added for it. */
export async function takeWindows(
  session: Session,
  queue: string,
  jobs: readonly NewJob[],
): Promise<ReadonlyMap<string, Job>> {
  const windowed = jobs.filter(({ windowMs, onDuplicate }) => windowMs !== null && onDuplicate === 'ignore')
  if (windowed.length === 0) return new Map()
  let refused = await reserve(session, queue, windowed)
  // Looked at only now: to read what is not there yet would put serializable transactions in each other's way.
  if (refused.length > 0 && (await forgetEnded(session, queue, refused)) > 0)
    refused = await reserve(session, queue, refused)
  if (refused.length === 0) return new Map()
  const holders = await holdersOf(
    session,
    queue,
    refused.map(({ key }) => key as string),
  )
  const found = new Map((await findJobs(session, queue, [...new Set(holders.values())])).map((job) => [job.id, job]))
  const known = new Map<string, Job>()
  for (const { id, key } of refused) {
    const holder = holders.get(key as string) as string
    const job = found.get(holder)
    // Reserved by one that comes first in this very call.
    if (job !== undefined) known.set(id, job)
  }
  return known
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

async function holdersOf(session: Session, queue: string, keys: readonly string[]): Promise<Map<string, string>> {
  const plan = session.plan('queue window holders', () => ({
    kind: 'select',
    model: keyWindows.name,
    joins: [],
    outputs: outputs(['key', 'job']),
    where: all(equals('queue', 0), oneOf('key', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [queue, keys])
  return new Map(rows.map((row) => [row['key'] as string, row['job'] as string]))
}

/** A job whose place another takes. */
export interface Replaced {
  readonly id: string
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
    returning: ['id', 'state', 'group', 'awaited', 'stepped'],
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
