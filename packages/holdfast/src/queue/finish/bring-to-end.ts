import type { Row, Session } from '../../backend/index.ts'
import type { Issue } from '../../base/errors.ts'
import { all, compareText, equals, oneOf } from '../../statement/index.ts'
import { enqueueAll } from '../enqueue/enqueue.ts'
import { dropLinks, settleLinks } from '../flow/flow.ts'
import { dropSteps } from '../flow/recorded-steps.ts'
import { acceptJob, type Entry } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { type FollowUp, mustFollow, noteFollowUps } from '../job/follow-ups.ts'
import { jobError, jobOf } from '../job/job.ts'
import { finishedJobs, liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { endTopicOf, topicOf } from '../job/topics.ts'
import { admit, groupLimitOf } from '../limits/groups.ts'
import { keepsNoCompleted } from './complete.ts'
import type { Finishing, Removed } from './finishing.ts'

/** Writes down how jobs ended that are no longer live, and does what follows from it. */
export async function bringToEnd(
  scope: QueueScope,
  finishing: readonly Finishing[],
  removed: readonly Removed[],
): Promise<void> {
  const byId = new Map(removed.map((row) => [row.id, row]))
  const ended = finishing.filter(({ job }) => byId.has(job.id))
  if (ended.length === 0) return
  const forgets = keepsNoCompleted(scope.declaration)
  const isForgotten = ({ job, state, result }: Finishing) =>
    forgets && state === 'completed' && result === null && byId.get(job.id)?.awaited === false
  const kept = ended.filter((one) => !isForgotten(one))
  if (kept.length > 0) await record(scope.session, kept, byId)
  await followUp(scope, ended, byId)
}

/** What `remove` and its kin give back of each job. */
export const REMOVED: readonly string[] = ['id', 'awaited', 'stepped', 'key', 'progress']

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
  const groups = new Set(jobs.flatMap(({ group }) => (group === null ? [] : [group])))
  const awaited = ended.filter(({ job }) => removed.get(job.id)?.awaited === true)
  const noted: FollowUp[] = [
    ...[...groups].map((about) => ({ queue, kind: 'group', about, state: null, limit: null }) as const),
    ...awaited.map(({ job, state }) => ({ queue, kind: 'end', about: job.id, state, limit: null }) as const),
  ]
  if (awaited.length > 0) session.notify(endTopicOf(queue))
  if (mustFollow(session)) return noteFollowUps(session, noted)
  await letNextThrough(scope, noted)
  await settleEnds(scope, noted)
}

/** Lets the next jobs of the groups of a queue through. */
export async function letNextThrough(
  { session, queue, declaration }: QueueScope,
  noted: readonly FollowUp[],
): Promise<void> {
  const groups = noted.filter(({ kind }) => kind === 'group')
  const limit = groupLimitOf(declaration) ?? groups.findLast((one) => one.limit !== null)?.limit ?? undefined
  const admitted = await admit(session, queue, new Set(groups.map(({ about }) => about)), limit)
  if (admitted.size > 0) session.notify(topicOf(queue))
}

/** Takes jobs of a queue that have ended out of the way of those that come after them. */
export async function settleEnds(scope: QueueScope, noted: readonly FollowUp[]): Promise<void> {
  const { session, declarationOf } = scope
  const states = noted.flatMap(({ about, state }) => (state === null ? [] : [[about, state] as const]))
  if (states.length === 0) return
  const { freed, doomed } = await settleLinks(session, new Map(states))
  for (const [queue, rows] of Map.groupBy(freed, (row) => row['queue'] as string)) {
    const groups = new Set(rows.map((row) => row['group'] as string | null).filter((group) => group !== null))
    await letNextThrough(
      { ...scope, queue, declaration: declarationOf(queue) },
      [...groups].map((about) => ({ queue, kind: 'group', about, state: null, limit: null })),
    )
    session.notify(topicOf(queue))
  }
  if (doomed.length > 0) await doom(scope, doomed)
}

async function sendToDeadLetters(
  { session, declaration, declarationOf }: QueueScope,
  ended: readonly Finishing[],
): Promise<void> {
  const target = declaration?.options.deadLetter
  const failed = ended.filter(({ state }) => state === 'failed')
  if (target === undefined || failed.length === 0) return
  const maxAttempts = declarationOf(target)?.options.maxAttempts
  const letterOf = ({ job: { id, queue, data, errors } }: Finishing, isWhole: boolean): Entry => ({
    data: {
      id,
      queue,
      data: isWhole ? data : null,
      errors: errors.map(({ message, at, attempt }) => ({ message, at, attempt })),
    },
    options: maxAttempts === undefined ? {} : { maxAttempts },
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
  // Their dead letters come in the order in which they were added, whatever the database gives first.
  rows.sort((left, right) => compareText(left['id'] as string, right['id'] as string))
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

const GIVEN = finishedJobs.columns.filter(({ name }) => name !== 'finishedAt')
const WHOLE = GIVEN.map(({ name }) => name)
/** What most jobs have; the others have something in columns that may be empty. */
const NEEDED = GIVEN.filter(({ name, nullable }) => !nullable || name === 'data').map(({ name }) => name)
const EXTRA = WHOLE.filter((name) => !NEEDED.includes(name))

async function record(
  session: Session,
  finishing: readonly Finishing[],
  removed: ReadonlyMap<string, Removed>,
): Promise<void> {
  const offset = clockOffsetMs(session)
  const rows = finishing.map(({ job, state, result }): Row => {
    // The job is as it was when it was taken; its handler may have told of its progress since, and another job may have been given its key.
    const { progress = null, key = null } = removed.get(job.id) ?? {}
    const errors = job.errors.length === 0 ? null : job.errors
    return { ...job, state, key, progress, result: result ?? null, errors, precedence: 0 - job.priority }
  })
  const isPlain = rows.every((row) => EXTRA.every((name) => row[name] === null))
  const columns = isPlain ? NEEDED : WHOLE
  const plan = session.plan(isPlain ? 'queue record plain' : 'queue record', () => ({
    kind: 'insert',
    model: finishedJobs.name,
    columns: [
      ...columns.map((column) => ({ column, value: 'given' as const })),
      { column: 'finishedAt', value: 'now' as const },
    ],
    leading: 0,
    returning: [],
  }))
  const parameters: unknown[] = []
  for (const row of rows) {
    for (const name of columns) parameters.push(row[name])
    parameters.push(offset)
  }
  await session.execute(plan, parameters)
}
