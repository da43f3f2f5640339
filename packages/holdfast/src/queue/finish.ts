import type { Row, Session } from '../backend/index.ts'
import { LeaseLostError } from '../base/errors.ts'
import { clockOffsetMs } from './clock.ts'
import { all, equals, oneOf, set, setNow } from './conditions.ts'
import { type Job, type JobError, jobError } from './job.ts'
import { finishedJobs, liveJobs } from './models.ts'

/** A job that ends, and how. */
export interface Finishing {
  readonly job: Job
  readonly state: 'completed' | 'failed' | 'cancelled'
  readonly result: unknown
}

/** The first pause before another attempt; each further one may be twice as long, up to the longest. */
export interface Backoff {
  readonly firstMs: number
  readonly longestMs: number
}

const DEFAULT_BACKOFF: Backoff = { firstMs: 1_000, longestMs: 3_600_000 }

/**
 * Moves jobs from the live table to that of finished ones, in one transaction; only those whose lease is still held. Gives their ids.
 * Read committed, because the token is the fence: each row is changed by its holder alone.
 */
export async function finish(session: Session, finishing: readonly Finishing[]): Promise<Set<string>> {
  return session.transaction(
    async (inner) => {
      const removed = await remove(inner, finishing)
      const kept = finishing.filter(({ job }) => removed.has(job.id))
      if (kept.length > 0) await record(inner, kept)
      return removed
    },
    { isolation: 'read committed' },
  )
}

async function remove(session: Session, finishing: readonly Finishing[]): Promise<Set<string>> {
  const plan = session.plan('queue remove', () => ({
    kind: 'delete',
    model: liveJobs.name,
    where: all(oneOf('id', 0), oneOf('token', 1)),
    orderBy: [],
    returning: ['id'],
  }))
  const tokens = [...new Set(finishing.map(({ job }) => job.token))]
  const { rows } = await session.execute(plan, [finishing.map(({ job }) => job.id), tokens])
  return new Set(rows.map((row) => row['id'] as string))
}

const recorded = [
  'id',
  'queue',
  'state',
  'precedence',
  'runAt',
  'attempt',
  'maxAttempts',
  'key',
  'data',
  'progress',
  'result',
  'errors',
  'createdAt',
]

/** Writes jobs into the table of finished ones. */
export async function record(session: Session, finishing: readonly Finishing[]): Promise<void> {
  const offset = clockOffsetMs(session)
  const plan = session.plan('queue record', () => ({
    kind: 'insert',
    model: finishedJobs.name,
    columns: [
      ...recorded.map((column) => ({ column, value: 'given' as const })),
      { column: 'finishedAt', value: 'now' as const },
    ],
    leading: 0,
    returning: [],
  }))
  const parameters = finishing.flatMap(({ job, state, result }) => {
    const values: Row = { ...job, state, result: result ?? null, precedence: 0 - job.priority }
    return [...recorded.map((column) => values[column]), offset]
  })
  await session.execute(plan, parameters)
}

/**
 * Ends an attempt that failed: the job is tried again after a pause while attempts are left, and has failed for good otherwise.
 *
 * @throws LeaseLostError when somebody else has the job by now.
 */
export async function failAttempt(
  session: Session,
  job: Job,
  error: unknown,
  retry: boolean,
  backoff: Partial<Backoff> = {},
): Promise<void> {
  const errors = [...job.errors, jobError(error, job.attempt, session.clock.now())]
  const held =
    retry && job.attempt < job.maxAttempts
      ? await reschedule(session, job, errors, pauseMs(job.attempt, { ...DEFAULT_BACKOFF, ...backoff }))
      : (await finish(session, [{ job: { ...job, errors }, state: 'failed', result: null }])).has(job.id)
  if (!held) throw new LeaseLostError(`the job ${job.id} of ${job.queue}`)
}

async function reschedule(session: Session, job: Job, errors: readonly JobError[], delayMs: number): Promise<boolean> {
  const plan = session.plan('queue reschedule', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [
      set('state', 0),
      set('token', 1),
      setNow('dueAt', 2),
      setNow('runAt', 2),
      set('errors', 3),
      set('progress', 4),
    ],
    where: all(equals('id', 5), equals('token', 6)),
    orderBy: [],
    returning: [],
  }))
  const plusMs = clockOffsetMs(session) + delayMs
  const parameters = ['scheduled', null, plusMs, errors, job.progress, job.id, job.token]
  return (await session.execute(plan, parameters)).count > 0
}

/** Half of the bound at least, so that a retry never comes at once; the rest at random, so that many do not come together. */
function pauseMs(attempt: number, { firstMs, longestMs }: Backoff): number {
  const bound = Math.min(longestMs, firstMs * 2 ** (attempt - 1))
  return Math.round(bound / 2 + Math.random() * (bound / 2))
}
