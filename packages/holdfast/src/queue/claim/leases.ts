import type { Row, Session } from '../../backend/index.ts'
import {
  type Assignment,
  add,
  all,
  equals,
  isAhead,
  isDue,
  oneOf,
  outputs,
  proposed,
  set,
  setNow,
} from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import type { Job } from '../job/job.ts'
import { leases, liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'

/** How long a job is kept for whoever took it, unless they say otherwise. */
export const DEFAULT_LEASE_MS = 30_000

/** A job waits to be taken; the first three parameters are those of `WAITING`. */
export const toWaiting: readonly Assignment[] = [set('state', 0), set('token', 1), set('ready', 2), set('dueAt', 1)]

/** The parameters of `toWaiting`. */
export const WAITING: readonly unknown[] = ['waiting', null, true]

/** How many jobs are taken from workers that are gone at once; the rest follow with the next call. */
const RESCUED = 1_000

/** What names a lease: the same job may be taken again, by the same worker too. */
export function leaseOf({ id, token }: Pick<Job, 'id' | 'token'>): string {
  return `${id} ${token}`
}

/** Extends leases that are still held; gives those, as `leaseOf` names them. */
export async function extendLeases(
  session: Session,
  jobs: readonly Job[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  if (jobs.length === 0) return new Set()
  const plan = session.plan('queue extend', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [setNow('dueAt', 0)],
    where: all(oneOf('id', 1), oneOf('token', 2)),
    orderBy: [],
    returning: ['id', 'token'],
  }))
  const { rows } = await session.execute(plan, [clockOffsetMs(session) + leaseMs, ...idsAndTokens(jobs)])
  return leasesOf(rows)
}

/**
 * Extends leases that are still held, and leaves the rows of the jobs as they are: their handlers have transactions open that will end them,
 * which a serializable one could not do if somebody had changed them since it began. Gives those leases, as `leaseOf` names them.
 */
export async function extendAside(
  session: Session,
  jobs: readonly Job[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  if (jobs.length === 0) return new Set()
  const look = session.plan('queue held', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['id', 'token']),
    where: all(oneOf('id', 0), oneOf('token', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(look, idsAndTokens(jobs))
  if (rows.length === 0) return new Set()
  const write = session.plan('queue extend aside', () => ({
    kind: 'insert',
    model: leases.name,
    columns: [
      { column: 'job', value: 'given' },
      { column: 'token', value: 'given' },
      { column: 'until', value: 'now' },
    ],
    leading: 0,
    onConflict: { columns: ['job'], set: [proposed('token'), proposed('until')] },
    returning: [],
  }))
  const plusMs = clockOffsetMs(session) + leaseMs
  await session.execute(
    write,
    rows.flatMap((row) => [row['id'], row['token'], plusMs]),
  )
  return leasesOf(rows)
}

function leasesOf(rows: readonly Row[]): ReadonlySet<string> {
  return new Set(rows.map((row) => leaseOf(row as unknown as Job)))
}

function idsAndTokens(jobs: readonly Job[]): [string[], (string | null)[]] {
  return [jobs.map(({ id }) => id), [...new Set(jobs.map(({ token }) => token))]]
}

/**
 * Makes jobs wait again whose workers are gone: neither their own leases nor those kept aside are ahead. Whether some were left for another
 * look.
 */
export async function rescue({ session, queue }: QueueScope): Promise<boolean> {
  const look = session.plan('queue leases run out', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['id', 'token']),
    where: all(equals('queue', 0), equals('state', 1), isDue('dueAt', 2)),
    orderBy: [],
    limit: 3,
  }))
  const offset = clockOffsetMs(session)
  const { rows } = await session.execute(look, [queue, 'active', offset, RESCUED])
  if (rows.length === 0) return false
  const kept = await tokensAside(
    session,
    rows.map((row) => row['id'] as string),
  )
  const lost = rows.filter((row) => kept.get(row['id'] as string) !== row['token'])
  if (lost.length > 0) await makeWait(session, lost)
  return lost.length === RESCUED
}

async function tokensAside(session: Session, jobs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const plan = session.plan('queue leases aside', () => ({
    kind: 'select',
    model: leases.name,
    joins: [],
    outputs: outputs(['job', 'token']),
    where: all(oneOf('job', 0), isAhead('until', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [jobs, clockOffsetMs(session)])
  return new Map(rows.map((row) => [row['job'] as string, row['token'] as string]))
}

async function makeWait(session: Session, rows: readonly Row[]): Promise<void> {
  const plan = session.plan('queue rescue', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: toWaiting,
    where: all(oneOf('id', 3), oneOf('token', 4), isDue('dueAt', 5)),
    orderBy: [],
    limit: 6,
    skipLocked: true,
    returning: [],
  }))
  const [ids, tokens] = [rows.map((row) => row['id']), [...new Set(rows.map((row) => row['token']))]]
  await session.execute(plan, [...WAITING, ids, tokens, clockOffsetMs(session), RESCUED])
}

/** Hands jobs back that were taken and not started; the attempt does not count. Gives the ids of those that were still held. */
export async function handBack(session: Session, jobs: readonly Job[]): Promise<ReadonlySet<string>> {
  if (jobs.length === 0) return new Set()
  const plan = session.plan('queue hand back', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [...toWaiting, add('attempt', 3)],
    where: all(oneOf('id', 4), oneOf('token', 5)),
    orderBy: [],
    returning: ['id'],
  }))
  const { rows } = await session.execute(plan, [...WAITING, -1, ...idsAndTokens(jobs)])
  return new Set(rows.map((row) => row['id'] as string))
}

/** Jobs whose leases are still held have not begun after all: the attempt does not count. Nobody else can take them until the leases run out. */
export async function uncount(session: Session, jobs: readonly Job[]): Promise<void> {
  const plan = session.plan('queue uncount', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [add('attempt', 0)],
    where: all(oneOf('id', 1), oneOf('token', 2)),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [-1, ...idsAndTokens(jobs)])
}
