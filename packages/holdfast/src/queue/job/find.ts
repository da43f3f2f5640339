import type { Row, Session } from '../../backend/index.ts'
import { Repository } from '../../repository/index.ts'
import { checkKnown, checkWhole } from '../../schema/index.ts'
import { all, type Condition, equals, isNull, not, oneOf, outputs } from '../../statement/index.ts'
import { checkCall } from './check-call.ts'
import { type Job, jobOf } from './job.ts'
import { checkFilter, FILTER_OPTIONS, type JobFilter, whereOf } from './job-filter.ts'
import { isJobId } from './job-id.ts'
import { finishedJobs, liveJobs } from './models.ts'
import { checkState, JOB_STATES, type JobStateFilter, type StoredState, storedStates } from './states.ts'

/** How many jobs a queue has in each state. */
export interface QueueStats {
  /** All that wait. */
  readonly waiting: number
  /** How many of those wait for their time: put off, or to be tried again. */
  readonly scheduled: number
  /** How many of those wait for other jobs: those that they come after, or others of their group. */
  readonly blocked: number
  readonly active: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/** Which jobs `list` gives. */
export interface ListOptions<Data = unknown> extends JobFilter<Data> {
  /** All unless given. */
  readonly state?: JobStateFilter
  /** At most so many; 100 unless given. */
  readonly limit?: number
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
  if (!isJobId(id)) return null
  const look = async () => (await live(session).findById(id)) ?? (await finished(session).findById(id))
  // Twice, because it may go from the one table to the other between two statements.
  const row = (await look()) ?? (await look())
  return row === null || row['queue'] !== queue ? null : { ...jobOf(row), token: null }
}

/** Jobs of a queue by their ids, wherever they stand; in no particular order, without those that are gone. */
export async function findJobs(session: Session, queue: string, ids: readonly string[]): Promise<Job[]> {
  const where = { id: { in: ids }, queue } as never
  const rows = [...(await live(session).find({ where })), ...(await finished(session).find({ where }))]
  return rows.map((row) => ({ ...jobOf(row), token: null }))
}

/** Those of the jobs that are live. */
export async function liveAmong(session: Session, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const plan = session.plan('queue live among', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['id']),
    where: oneOf('id', 0),
    orderBy: [],
  }))
  return new Set((await session.execute(plan, [ids])).rows.map((row) => row['id'] as string))
}

/**
 * The jobs of a queue that a state chooses (all unless given): those that can be taken in the order of taking, then those that wait for their
 * time, those that wait for other jobs and those that run, each by when something is due about them, then finished ones, latest first.
 *
 * @throws ValidationError for an unknown or wrong option.
 */
export async function listJobs(session: Session, queue: string, options: ListOptions): Promise<Job[]> {
  const { state, limit = 100, ...filter } = options ?? {}
  checkCall(queue, (issues) => {
    checkKnown(options, ['state', 'limit', ...FILTER_OPTIONS], '', issues)
    checkState(state, JOB_STATES, issues)
    checkFilter(filter, issues)
    checkWhole(limit, 0, 'limit', issues)
  })
  const found: Row[] = []
  for (const { rows, where, orderBy } of partsOf(queue, state)) {
    if (found.length >= limit) break
    found.push(
      ...(await rows(session).find({
        where: { ...where, ...whereOf(filter) },
        orderBy,
        limit: limit - found.length,
      } as never)),
    )
  }
  return found.map((row) => ({ ...jobOf(row), token: null }))
}

interface Part {
  readonly states: readonly StoredState[]
  readonly rows: (session: Session) => JobRows
  /** What makes the rows of it be found by an index. */
  readonly where: object
  readonly orderBy: object
}

const BY_DUE_TIME = [{ dueAt: 'asc' }, { precedence: 'asc' }]

function due(state: StoredState): Part {
  return { states: [state], rows: live, where: { dueAt: { ne: null }, state }, orderBy: BY_DUE_TIME }
}

/** Where jobs are, by their states, so that an index gives each part in its order. */
const PARTS: readonly Part[] = [
  { states: ['waiting'], rows: live, where: { ready: true }, orderBy: [{ precedence: 'asc' }, { runAt: 'asc' }] },
  due('scheduled'),
  due('blocked'),
  due('active'),
  { states: ['completed', 'failed', 'cancelled'], rows: finished, where: {}, orderBy: { finishedAt: 'desc' } },
]

/** The parts of a queue in which there are jobs that a state chooses, with what finds these there and the part's place among all. */
export function partsOf(queue: string, state: JobStateFilter | undefined): (Part & { readonly at: number })[] {
  const chosen = state === undefined ? JOB_STATES : storedStates(state)
  const only = chosen.length === 1 ? { state: chosen[0] } : {}
  const parts = PARTS.map((part, at) => ({ ...part, at, where: { queue, ...part.where, ...only } }))
  return parts.filter(({ states }) => states.some((one) => chosen.includes(one)))
}

/** What is counted: the indexes of live jobs are sparse, so that those that can be taken and the others are in different ones. */
const COUNTED: readonly (readonly [model: string, condition: Condition])[] = [
  [liveJobs.name, not(isNull('ready'))],
  [liveJobs.name, not(isNull('dueAt'))],
  [finishedJobs.name, all()],
]

/** Counts the jobs of a queue by state. */
export async function countJobs(session: Session, queue: string): Promise<QueueStats> {
  const plans = COUNTED.map(([model, condition], at) =>
    session.plan(`queue count ${at}`, () => ({
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
  const stats = { waiting: 0, scheduled: 0, blocked: 0, active: 0, completed: 0, failed: 0, cancelled: 0 }
  for (const { rows } of counted) for (const row of rows) stats[row['state'] as StoredState] = row['n'] as number
  stats.waiting += stats.scheduled + stats.blocked
  return stats
}
