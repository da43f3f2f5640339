import { randomUUID } from 'node:crypto'
import type { Session } from '../backend/index.ts'
import { clockOffsetMs } from './clock.ts'
import { add, all, equals, field, isDue, oneOf, set, setNow } from './conditions.ts'
import { type Finishing, finish } from './finish.ts'
import { type Job, jobError, jobOf } from './job.ts'
import { liveJobs } from './models.ts'

/** How many jobs become ready at once; the rest follow with the next call. */
const READY_BATCH = 1_000

/**
 * Takes up to `count` waiting jobs, the most urgent first: one statement that passes over what others are taking.
 */
export async function claim(session: Session, queue: string, count: number, leaseMs: number): Promise<Job[]> {
  const offset = clockOffsetMs(session)
  const plan = session.plan('queue claim', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('token', 1), setNow('dueAt', 2), add('attempt', 3)],
    where: all(equals('queue', 4), equals('state', 5)),
    orderBy: ['precedence', 'runAt', 'id'].map((column) => ({ field: field(column), direction: 'asc' as const })),
    limit: 6,
    skipLocked: true,
    returning: liveJobs.columns.map(({ name }) => name),
  }))
  const parameters = ['active', randomUUID(), offset + leaseMs, 1, queue, 'waiting', count]
  const { rows } = await session.execute(plan, parameters)
  const jobs = rows.map((row) => jobOf(row)).sort(byUrgency)
  const lost = jobs.filter(({ attempt, maxAttempts }) => attempt > maxAttempts)
  if (lost.length === 0) return jobs
  await bury(session, lost)
  const kept = jobs.filter((job) => !lost.includes(job))
  return kept.length > 0 ? kept : claim(session, queue, count, leaseMs)
}

function byUrgency(left: Job, right: Job): number {
  const difference = right.priority - left.priority || left.runAt.getTime() - right.runAt.getTime()
  return difference || (left.id < right.id ? -1 : 1)
}

/** Scheduled jobs whose time has come, and active ones whose worker is gone, wait to be taken. Says how many. */
export async function makeReady(session: Session, queue: string): Promise<number> {
  const plan = session.plan('queue make ready', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('token', 1)],
    where: all(equals('queue', 2), oneOf('state', 3), isDue('dueAt', 4)),
    orderBy: [],
    limit: 5,
    skipLocked: true,
    returning: [],
  }))
  const parameters = ['waiting', null, queue, ['scheduled', 'active'], clockOffsetMs(session), READY_BATCH]
  return (await session.execute(plan, parameters)).count
}

/** A job whose workers died every time it was tried has failed; else it would take down workers for ever. */
async function bury(session: Session, jobs: readonly Job[]): Promise<void> {
  const now = session.clock.now()
  const finishing = jobs.map((job): Finishing => {
    const error = jobError(new Error('The worker that ran it was lost.'), job.maxAttempts, now)
    return { job: { ...job, attempt: job.maxAttempts, errors: [...job.errors, error] }, state: 'failed', result: null }
  })
  await finish(session, finishing)
}

/** Extends leases that are still held; gives the ids of those jobs. */
export async function extendLeases(session: Session, jobs: readonly Job[], leaseMs: number): Promise<Set<string>> {
  const plan = session.plan('queue extend', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [setNow('dueAt', 0)],
    where: all(oneOf('id', 1), oneOf('token', 2)),
    orderBy: [],
    returning: ['id'],
  }))
  const tokens = [...new Set(jobs.map(({ token }) => token))]
  const { rows } = await session.execute(plan, [clockOffsetMs(session) + leaseMs, jobs.map(({ id }) => id), tokens])
  return new Set(rows.map((row) => row['id'] as string))
}

/** Hands jobs back that were taken and not started; the attempt does not count. */
export async function handBack(session: Session, jobs: readonly Job[]): Promise<void> {
  if (jobs.length === 0) return
  const plan = session.plan('queue hand back', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('token', 1), add('attempt', 2)],
    where: all(oneOf('id', 3), oneOf('token', 4)),
    orderBy: [],
    returning: [],
  }))
  const tokens = [...new Set(jobs.map(({ token }) => token))]
  await session.execute(plan, ['waiting', null, -1, jobs.map(({ id }) => id), tokens])
}
