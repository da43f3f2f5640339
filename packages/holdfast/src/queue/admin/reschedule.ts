import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkKnown } from '../../schema/index.ts'
import { all, compare, equals, not, set, setNow } from '../../statement/index.ts'
import { acceptJob, type EnqueueOptions } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { isJobId } from '../job/job-id.ts'
import { liveJobs } from '../job/models.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { followUpTopicOf } from '../job/topics.ts'

/** What `reschedule` changes. */
export type RescheduleOptions = Pick<EnqueueOptions, 'runAt' | 'delayMs' | 'priority'>

/**
 * Changes when a job runs, and how urgent it is, unless it runs already; gives whether there was such a job.
 *
 * @throws ValidationError for unknown options, or without any.
 */
export async function rescheduleJob(scope: QueueScope, id: string, options: RescheduleOptions): Promise<boolean> {
  const { session, queue } = scope
  const { when, precedence } = accept(queue, options)
  if (!isJobId(id)) return false
  const isTimed = options.runAt !== undefined || options.delayMs !== undefined
  const found = await session.transaction(async (inner) => {
    const own = { ...scope, session: inner }
    const changed = options.priority === undefined ? false : await setPrecedence(own, id, precedence)
    if (!isTimed) return changed
    const time = 'at' in when ? when.at : clockOffsetMs(inner) + when.inMs
    return (await setTime(own, id, time, true)) || (await setTime(own, id, time, false))
  }, OWN)
  // It may be due at once, or be the next one.
  if (found) session.notify(followUpTopicOf(queue))
  return found
}

function accept(queue: string, options: RescheduleOptions) {
  const issues: Issue[] = []
  checkKnown(options, ['runAt', 'delayMs', 'priority'], '', issues)
  if (issues.length === 0 && Object.values(options).every((value) => value === undefined))
    issues.push({ path: '', reason: 'runAt, delayMs or priority must be given' })
  const accepted = issues.length === 0 ? acceptJob(undefined, { data: null, options, path: '' }, issues) : undefined
  if (accepted === undefined || issues.length > 0)
    throw new ValidationError(`A job of ${queue} was not rescheduled`, issues)
  return accepted
}

async function setPrecedence({ session, queue }: QueueScope, id: string, precedence: number): Promise<boolean> {
  const plan = session.plan('queue set precedence', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('precedence', 0)],
    where: all(equals('id', 1), equals('queue', 2), not(equals('state', 3))),
    orderBy: [],
    returning: [],
  }))
  return (await session.execute(plan, [precedence, id, queue, 'active'])).count > 0
}

/** Whoever makes jobs ready makes it wait when its time has come; one that comes after others stays blocked until they have ended. */
async function setTime(
  { session, queue }: QueueScope,
  id: string,
  time: Date | number,
  blocked: boolean,
): Promise<boolean> {
  const at = (column: string) => (typeof time === 'number' ? setNow(column, 0) : set(column, 0))
  const plan = session.plan(`queue set time ${typeof time} ${blocked}`, () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [at('runAt'), at('dueAt'), ...(blocked ? [] : [set('state', 5), set('ready', 6)])],
    where: all(
      equals('id', 1),
      equals('queue', 2),
      not(equals('state', 3)),
      blocked ? compare('blockers', 'gt', 4) : compare('blockers', 'lte', 4),
    ),
    orderBy: [],
    returning: [],
  }))
  const parameters = [time, id, queue, 'active', 0, ...(blocked ? [] : ['scheduled', null])]
  return (await session.execute(plan, parameters)).count > 0
}
