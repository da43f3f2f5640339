import type { Row } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import {
  acceptJson,
  checkKnown,
  describe,
  isStorableText,
  type QueueDeclaration,
  UNSTORABLE_TEXT,
  unreadable,
} from '../../schema/index.ts'
import { acceptJob, acceptTime, type EnqueueOptions } from '../job/accept-job.ts'
import { UNVERSIONED, versionOf } from '../job/payload.ts'
import type { CatchUp } from '../job/schedule-model.ts'
import { readCron } from './cron.ts'
import { checkInterval, isInterval, type ScheduleInterval } from './interval.ts'

/** What can be asked for the jobs of a schedule. */
const JOB_OPTIONS = [
  'priority',
  'key',
  'group',
  'tags',
  'maxAttempts',
  'backoff',
  'timeoutMs',
  'startWithinMs',
] as const

/** How a schedule ticks, and what its jobs are like. */
export interface ScheduleOptions extends Pick<EnqueueOptions, (typeof JOB_OPTIONS)[number]> {
  /** With a cron expression, the zone whose clocks count, by its IANA name; UTC unless given. */
  readonly timezone?: string
  /**
   * What becomes of ticks that came while no worker ran: `last` (the default) makes one job for the latest of them; `all`, or true, one for
   * each, the latest `catchUpLimit`; `none`, or false, passes over those that are more than a minute late.
   */
  readonly catchUp?: CatchUp | boolean
  /** How many missed ticks `all` makes jobs for at most; 100 unless given. */
  readonly catchUpLimit?: number
  /** Before this moment it does not tick. An interval is counted from it. */
  readonly from?: Date
  /** After this moment it does not tick any more. */
  readonly until?: Date
}

const DEFAULT_CATCH_UP_LIMIT = 100
const MAX_CATCH_UP_LIMIT = 10_000
const OPTIONS = ['timezone', 'catchUp', 'catchUpLimit', 'from', 'until', ...JOB_OPTIONS]

/**
 * The row of a schedule, as far as what it is declared to be says so.
 *
 * @throws ValidationError naming all that is wrong.
 */
export function acceptSchedule(...given: Parameters<typeof readSchedule>): Row {
  try {
    return readSchedule(...given)
  } catch (error) {
    const [queue, , , when, data, options] = given
    throw unreadable(error, `A schedule of ${queue} was refused`, { '': when, data, options })
  }
}

function readSchedule(
  queue: string,
  declaration: QueueDeclaration | undefined,
  name: string,
  when: string | ScheduleInterval,
  data: unknown,
  options: ScheduleOptions,
): Row {
  const issues: Issue[] = []
  if (typeof name !== 'string' || name === '' || !isStorableText(name)) {
    const reason = typeof name === 'string' && name !== '' ? UNSTORABLE_TEXT : 'must be text that is not empty'
    issues.push({ path: 'name', reason })
  }
  const subject = `The schedule ${typeof name === 'string' ? name : describe(name)} of ${queue} was refused`
  checkKnown(options, OPTIONS, '', issues)
  if (typeof options !== 'object' || options === null) throw new ValidationError(subject, issues)
  const {
    timezone = 'UTC',
    catchUp: missed = 'last',
    catchUpLimit = DEFAULT_CATCH_UP_LIMIT,
    from,
    until,
    ...job
  } = options
  const catchUp = missed === true ? 'all' : missed === false ? 'none' : missed
  if (!['none', 'last', 'all'].includes(catchUp))
    issues.push({ path: 'catchUp', reason: `must be none, last, all, true or false, got ${describe(catchUp)}` })
  if (!Number.isSafeInteger(catchUpLimit) || catchUpLimit < 1 || catchUpLimit > MAX_CATCH_UP_LIMIT) {
    const reason = `must be a whole number from 1 to ${MAX_CATCH_UP_LIMIT}, got ${describe(catchUpLimit)}`
    issues.push({ path: 'catchUpLimit', reason })
  }
  const startsAt = from === undefined ? null : acceptTime(from, 'from', issues)
  const endsAt = until === undefined ? null : acceptTime(until, 'until', issues)
  if (startsAt instanceof Date && endsAt instanceof Date && endsAt < startsAt)
    issues.push({ path: 'until', reason: 'must not be before from' })
  // It is kept as JSON and checked again for each job, whose schema may have changed by then.
  const stored = data === undefined ? null : acceptJson(data, 'data', issues)
  const wanted = Object.fromEntries(Object.entries(job).filter(([option]) => OPTIONS.includes(option)))
  if (issues.length === 0) acceptJob(declaration, { data: stored, options: wanted, path: '' }, issues)
  if (isInterval(when)) checkInterval(when, options.timezone, issues)
  else readCron(when, timezone, issues)
  if (issues.length > 0) throw new ValidationError(subject, issues)
  const rule = isInterval(when) ? { cron: '', everyMs: when.everyMs } : { cron: when.trim(), everyMs: null }
  return {
    ...{ queue, name, ...rule, timezone, startsAt, endsAt, catchUp, catchUpLimit, data: stored, options: wanted },
    version: versionOf(declaration) ?? UNVERSIONED,
  }
}
