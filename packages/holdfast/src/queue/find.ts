import type { Row, Session } from '../backend/index.ts'
import { Repository } from '../repository/index.ts'
import { type Job, jobOf } from './job.ts'
import { finishedJobs, type JobState, liveJobs } from './models.ts'

/** How many jobs a queue has in each state. */
export interface QueueStats {
  /** They come after other jobs, or stand behind others of their group. */
  readonly blocked: number
  readonly scheduled: number
  readonly waiting: number
  readonly active: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

const LIVE: ReadonlySet<JobState> = new Set(['blocked', 'scheduled', 'waiting', 'active'])

type JobRows = Repository<Row, Row, string, never, Record<never, never>>

/** The live jobs of all queues, as records. */
export function live(session: Session): JobRows {
  return new Repository(session, liveJobs)
}

/** The finished jobs of all queues, as records. */
export function finished(session: Session): JobRows {
  return new Repository(session, finishedJobs)
}

/** A job of the queue, wherever it stands; null where there is none. */
export async function findJob(session: Session, queue: string, id: string): Promise<Job | null> {
  const row = (await live(session).findById(id)) ?? (await finished(session).findById(id))
  return row === null || row['queue'] !== queue ? null : { ...jobOf(row), token: null }
}

/** Jobs of a queue by their ids, wherever they stand; in no particular order, without those that are gone. */
export async function findJobs(session: Session, queue: string, ids: readonly string[]): Promise<Job[]> {
  const where = { id: { in: ids }, queue } as never
  const rows = [...(await live(session).find({ where })), ...(await finished(session).find({ where }))]
  return rows.map((row) => ({ ...jobOf(row), token: null }))
}

/** The jobs of a queue in a state (in every state unless given), live ones in the order of taking, finished ones latest first. */
export async function listJobs(
  session: Session,
  queue: string,
  state: JobState | undefined,
  limit: number,
): Promise<Job[]> {
  const isLive = state === undefined || LIVE.has(state)
  const isFinished = state === undefined || !isLive
  const where = { queue, ...(state !== undefined && { state }) } as never
  const liveRows = isLive
    ? await live(session).find({ where, orderBy: [{ precedence: 'asc' }, { runAt: 'asc' }] as never, limit })
    : []
  const finishedRows =
    isFinished && liveRows.length < limit
      ? await finished(session).find({
          where,
          orderBy: { finishedAt: 'desc' } as never,
          limit: limit - liveRows.length,
        })
      : []
  return [...liveRows, ...finishedRows].map((row) => ({ ...jobOf(row as Row), token: null }))
}

/** Counts the jobs of a queue by state. */
export async function countJobs(session: Session, queue: string): Promise<QueueStats> {
  const stats = { blocked: 0, scheduled: 0, waiting: 0, active: 0, completed: 0, failed: 0, cancelled: 0 }
  const plan = (model: string) =>
    session.plan(`queue count ${model}`, () => ({
      kind: 'select',
      model,
      joins: [],
      outputs: [
        { kind: 'field', name: 'state', field: { source: 0, column: 'state', path: [] } },
        { kind: 'aggregate', name: 'n', function: 'count' },
      ],
      where: {
        kind: 'compare',
        field: { source: 0, column: 'queue', path: [] },
        operator: 'eq',
        operand: { kind: 'parameter', parameter: 0 },
      },
      groupBy: ['state'],
      orderBy: [],
    }))
  const counted = await Promise.all([liveJobs, finishedJobs].map(({ name }) => session.execute(plan(name), [queue])))
  for (const { rows } of counted) for (const row of rows) stats[row['state'] as JobState] = row['n'] as number
  return stats
}
