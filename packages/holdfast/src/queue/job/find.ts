import type { Row, Session } from '../../backend/index.ts'
import { Repository } from '../../repository/index.ts'
import { all, type Condition, equals, isNull, not, outputs } from '../../statement/index.ts'
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

/**
 * The jobs of a queue in a state (in every state unless given): those that wait in the order of taking, other live ones by when something is
 * due about them, finished ones latest first.
 */
export async function listJobs(
  session: Session,
  queue: string,
  state: JobState | undefined,
  limit: number,
): Promise<Job[]> {
  const found: Row[] = []
  for (const part of PARTS) {
    if (found.length >= limit || (state !== undefined && !part.states.has(state))) continue
    const where = { queue, ...part.where, ...(state !== undefined && { state }) }
    const query = { where, orderBy: part.orderBy, limit: limit - found.length } as never
    found.push(...(await part.rows(session).find(query)))
  }
  return found.map((row) => ({ ...jobOf(row), token: null }))
}

interface Part {
  readonly model: string
  readonly states: ReadonlySet<JobState>
  readonly rows: (session: Session) => JobRows
  /** What makes the rows of it be found by an index. */
  readonly where: object
  readonly condition: Condition
  readonly orderBy: object
}

/** Where jobs are, by their states: the indexes of live jobs are sparse, so that those that wait and the others are in different ones. */
export const PARTS: readonly Part[] = [
  {
    model: liveJobs.name,
    states: new Set(['waiting']),
    rows: live,
    where: { ready: true },
    condition: not(isNull('ready')),
    orderBy: [{ precedence: 'asc' }, { runAt: 'asc' }],
  },
  {
    model: liveJobs.name,
    states: new Set(['blocked', 'scheduled', 'active']),
    rows: live,
    where: { dueAt: { ne: null } },
    condition: not(isNull('dueAt')),
    orderBy: [{ dueAt: 'asc' }, { precedence: 'asc' }],
  },
  {
    model: finishedJobs.name,
    states: new Set(['completed', 'failed', 'cancelled']),
    rows: finished,
    where: {},
    condition: all(),
    orderBy: { finishedAt: 'desc' },
  },
]

/** Counts the jobs of a queue by state. */
export async function countJobs(session: Session, queue: string): Promise<QueueStats> {
  const stats = { blocked: 0, scheduled: 0, waiting: 0, active: 0, completed: 0, failed: 0, cancelled: 0 }
  const plans = PARTS.map(({ model, condition, states }) =>
    session.plan(`queue count ${[...states]}`, () => ({
      kind: 'select',
      model,
      joins: [],
      outputs: [...outputs(['state']), { kind: 'aggregate', name: 'n', function: 'count' }],
      where: all(equals('queue', 0), condition),
      groupBy: ['state'],
      orderBy: [],
    })),
  )
  const counted = await Promise.all(plans.map((plan) => session.execute(plan, [queue])))
  for (const { rows } of counted) for (const row of rows) stats[row['state'] as JobState] = row['n'] as number
  return stats
}
