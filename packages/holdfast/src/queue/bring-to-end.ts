import type { Row, Session } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { acceptJob, type Entry } from './accept-job.ts'
import { clockOffsetMs } from './clock.ts'
import { all, equals, oneOf } from './conditions.ts'
import { enqueueAll } from './enqueue.ts'
import { dropLinks, settleLinks } from './flow.ts'
import { admit } from './groups.ts'
import { type Job, jobError, jobOf } from './job.ts'
import { finishedJobs, liveJobs } from './models.ts'
import { dropSteps } from './recorded-steps.ts'
import type { QueueScope } from './scope.ts'
import { endTopicOf, topicOf } from './topics.ts'

/** A job that ends, and how. */
export interface Finishing {
  readonly job: Job
  readonly state: 'completed' | 'failed' | 'cancelled'
  readonly result: unknown
}

/** What is known of a job that was taken out of the table of live ones, besides what a `Job` says. */
export interface Removed {
  readonly id: string
  readonly awaited: boolean
  readonly stepped: boolean
  readonly progress: unknown
}

/** Writes down how jobs ended that are no longer live, and does what follows from it. */
export async function bringToEnd(
  scope: QueueScope,
  finishing: readonly Finishing[],
  removed: readonly Removed[],
): Promise<void> {
  const byId = new Map(removed.map((row) => [row.id, row]))
  const ended = finishing.filter(({ job }) => byId.has(job.id))
  if (ended.length === 0) return
  await record(scope.session, ended, byId)
  await followUp(scope, ended, byId)
}

/** What `remove` and its kin give back of each job. */
export const REMOVED: readonly string[] = ['id', 'awaited', 'stepped', 'progress']

async function followUp(
  scope: QueueScope,
  ended: readonly Finishing[],
  removed: ReadonlyMap<string, Removed>,
): Promise<void> {
  const { session, queue } = scope
  const jobs = ended.map(({ job }) => job)
  const stepped = jobs.filter(({ id }) => removed.get(id)?.stepped === true)
  if (stepped.length > 0)
    await dropSteps(
      session,
      stepped.map(({ id }) => id),
    )
  await sendToDeadLetters(scope, ended)
  await letNextThrough(session, queue, new Set(jobs.flatMap(({ group }) => (group === null ? [] : [group]))))
  const awaited = ended.filter(({ job }) => removed.get(job.id)?.awaited === true)
  if (awaited.length === 0) return
  session.notify(endTopicOf(queue))
  const { freed, doomed } = await settleLinks(session, new Map(awaited.map(({ job, state }) => [job.id, state])))
  for (const [other, rows] of Map.groupBy(freed, (row) => row['queue'] as string)) {
    const groups = rows.flatMap((row) => (row['group'] === null ? [] : [row['group'] as string]))
    await letNextThrough(session, other, new Set(groups))
    session.notify(topicOf(other))
  }
  if (doomed.length > 0) await doom(scope, doomed)
}

async function letNextThrough(session: Session, queue: string, groups: ReadonlySet<string>): Promise<void> {
  if ((await admit(session, queue, groups)).size > 0) session.notify(topicOf(queue))
}

async function sendToDeadLetters({ session, declaration }: QueueScope, ended: readonly Finishing[]): Promise<void> {
  const target = declaration?.options.deadLetter
  const failed = ended.filter(({ state }) => state === 'failed')
  if (target === undefined || failed.length === 0) return
  const letterOf = ({ job: { id, queue, data, errors } }: Finishing, isWhole: boolean): Entry => ({
    data: {
      id,
      queue,
      data: isWhole ? data : null,
      errors: errors.map(({ message, at, attempt }) => ({ message, at, attempt })),
    },
    options: {},
    path: `dead letter ${id}`,
  })
  const entries = failed.map((one) => {
    const letter = letterOf(one, true)
    const issues: Issue[] = []
    acceptJob(undefined, letter, issues)
    // What is as large or as deep as can be does not fit into a letter; the job must end all the same.
    return issues.length === 0 ? letter : letterOf(one, false)
  })
  await enqueueAll(session, target, undefined, entries)
}

/** Jobs that come after one that did not complete fail without being run. */
async function doom(scope: QueueScope, ids: readonly string[]): Promise<void> {
  const { session, declarationOf } = scope
  const plan = session.plan('queue doom', () => ({
    kind: 'delete',
    model: liveJobs.name,
    where: all(oneOf('id', 0), equals('state', 1)),
    orderBy: [],
    returning: liveJobs.columns.map(({ name }) => name),
  }))
  const { rows } = await session.execute(plan, [ids, 'blocked'])
  await dropLinks(session, ids)
  const error = jobError('A job that it comes after has failed or was cancelled.', 0, session.clock.now())
  for (const [queue, some] of Map.groupBy(rows, (row) => row['queue'] as string)) {
    const finishing = some.map((row): Finishing => {
      const job = jobOf(row)
      return { job: { ...job, errors: [...job.errors, error] }, state: 'failed', result: null }
    })
    await bringToEnd({ ...scope, queue, declaration: declarationOf(queue) }, finishing, some as unknown as Removed[])
  }
}

const RECORDED = finishedJobs.columns.map(({ name }) => name).filter((name) => name !== 'finishedAt')

async function record(
  session: Session,
  finishing: readonly Finishing[],
  removed: ReadonlyMap<string, Removed>,
): Promise<void> {
  const offset = clockOffsetMs(session)
  const plan = session.plan('queue record', () => ({
    kind: 'insert',
    model: finishedJobs.name,
    columns: [
      ...RECORDED.map((column) => ({ column, value: 'given' as const })),
      { column: 'finishedAt', value: 'now' as const },
    ],
    leading: 0,
    returning: [],
  }))
  const parameters = finishing.flatMap(({ job, state, result }) => {
    // The job is as it was when it was taken; its handler may have told of its progress since.
    const progress = removed.get(job.id)?.progress ?? null
    const values: Row = { ...job, state, progress, result: result ?? null, precedence: 0 - job.priority }
    return [...RECORDED.map((column) => values[column]), offset]
  })
  await session.execute(plan, parameters)
}
