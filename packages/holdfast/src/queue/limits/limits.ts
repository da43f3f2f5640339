import type { Row, Session } from '../../backend/index.ts'
import { add, all, equals, isNull, not, oneOf, outputs, set } from '../../statement/index.ts'
import type { Job } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { lockGates, WHOLE_QUEUE, writeGates } from './gates.ts'

/** Jobs that were taken and may not begin yet, and when they may. */
type Late = ReadonlyMap<Job, Date>

type Rate = { readonly max: number; readonly perMs: number }

/** Whether all workers of a queue together are bound by more than how much there is to do. */
export function hasLimits({ declaration }: QueueScope): boolean {
  const { concurrency, rate, groupRate } = declaration?.options ?? {}
  return concurrency !== undefined || rate !== undefined || groupRate !== undefined
}

/**
 * Takes up to `count` jobs as far as the limits of the queue allow. Its gate stays locked until the transaction ends, so that no two takers
 * believe in the same room.
 *
 * @param begins whether a job that was taken begins: others do not count against rates, and are given all the same.
 */
export async function takeWithinLimits(
  scope: QueueScope,
  count: number,
  begins: (job: Job) => boolean,
  takeUpTo: (room: number) => Promise<Job[]>,
): Promise<Job[]> {
  const { session, queue, declaration } = scope
  const { concurrency, rate, groupRate } = declaration?.options ?? {}
  const takeSome = (room: number): Promise<Job[]> =>
    groupRate === undefined ? takeUpTo(room) : takeWithinGroupRate(scope, groupRate, room, begins, takeUpTo)
  if (concurrency === undefined && rate === undefined) return takeSome(count)
  const [gate] = (await lockGates(session, queue, [WHOLE_QUEUE])) as [Row]
  const running = concurrency === undefined ? 0 : await countActive(session, queue)
  const window = rate === undefined ? undefined : windowOf(gate, rate)
  const room = Math.min(count, (concurrency ?? Number.POSITIVE_INFINITY) - running, window?.room ?? count)
  if (room <= 0) return []
  const jobs = await takeSome(room)
  const begun = jobs.filter(begins).length
  if (window !== undefined && begun > 0) await writeGates(session, [window.after(begun)])
  return jobs
}

/** Jobs of groups that have no room are put off until they have, so that they stand in nobody's way; others are taken instead. */
async function takeWithinGroupRate(
  { session, queue }: QueueScope,
  rate: Rate,
  count: number,
  begins: (job: Job) => boolean,
  takeUpTo: (room: number) => Promise<Job[]>,
): Promise<Job[]> {
  const taken: Job[] = []
  while (taken.length < count) {
    const jobs = await takeUpTo(count - taken.length)
    const late = await findLate(session, queue, rate, jobs.filter(begins))
    taken.push(...jobs.filter((job) => !late.has(job)))
    if (late.size === 0) break
    await putOffUntil(session, late)
  }
  return taken
}

/** Counts jobs, the most urgent first, that begin against the rates of their groups; gives those that there is no room for. */
async function findLate(session: Session, queue: string, rate: Rate, jobs: Job[]): Promise<Late> {
  const late = new Map<Job, Date>()
  const ofGroups = jobs.filter(({ group }) => group !== null)
  if (ofGroups.length === 0) return late
  const byGroup = Map.groupBy(ofGroups, ({ group }) => group as string)
  const written: Row[] = []
  for (const gate of await lockGates(session, queue, [...byGroup.keys()].sort())) {
    const { room, endsAt, after } = windowOf(gate, rate)
    const own = byGroup.get(gate['group'] as string) as Job[]
    for (const job of own.slice(room)) late.set(job, endsAt)
    if (room > 0) written.push(after(Math.min(room, own.length)))
  }
  if (written.length > 0) await writeGates(session, written)
  return late
}

interface Window {
  /** How many more jobs may begin in it. */
  readonly room: number
  readonly endsAt: Date
  /** The gate once so many have begun. */
  after(begun: number): Row
}

/** The window of a rate that runs now: the one that was running, or a new one. */
function windowOf(gate: Row, { max, perMs }: Rate): Window {
  const [seenAt, began] = [gate['seenAt'] as Date, gate['windowAt'] as Date]
  const runs = (gate['used'] as number) > 0 && seenAt.getTime() < began.getTime() + perMs
  const windowAt = runs ? began : seenAt
  const used = runs ? (gate['used'] as number) : 0
  return {
    room: Math.max(0, max - used),
    endsAt: new Date(windowAt.getTime() + perMs),
    after: (begun) => ({ ...gate, windowAt, used: used + begun }),
  }
}

async function countActive(session: Session, queue: string): Promise<number> {
  const plan = session.plan('queue count active', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: [...outputs([]), { kind: 'aggregate', name: 'n', function: 'count' }],
    where: all(equals('queue', 0), equals('state', 1), not(isNull('dueAt'))),
    groupBy: [],
    orderBy: [],
  }))
  return (await session.execute(plan, [queue, 'active'])).rows[0]?.['n'] as number
}

/** Puts jobs off that were taken: as if they had not been. They keep their places in their groups. */
async function putOffUntil(session: Session, late: Late): Promise<void> {
  const plan = session.plan('queue put off until', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('token', 1), set('dueAt', 2), add('attempt', 3)],
    where: oneOf('id', 4),
    orderBy: [],
    returning: [],
  }))
  for (const [at, some] of Map.groupBy(late, ([, until]) => until.getTime())) {
    const ids = some.map(([job]) => job.id)
    await session.execute(plan, ['scheduled', null, new Date(at), -1, ids])
  }
}
