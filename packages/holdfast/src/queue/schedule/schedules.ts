import { isDeepStrictEqual } from 'node:util'
import type { Row, Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { Repository } from '../../repository/index.ts'
import {
  acceptJson,
  acceptorOf,
  checkKnown,
  describe,
  isStorableText,
  type QueueDeclaration,
  UNSTORABLE_TEXT,
  unreadable,
} from '../../schema/index.ts'
import { proposed } from '../../statement/index.ts'
import { acceptJob, type EnqueueOptions } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { UNVERSIONED, versionOf } from '../job/payload.ts'
import { type CatchUp, schedules } from '../job/schedule-model.ts'
import { readCron } from './cron.ts'
import { checkInterval, intervalRule, isInterval, type ScheduleInterval } from './interval.ts'
import { withinPeriod } from './period.ts'
import type { TickRule } from './tick-rule.ts'

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

/** A schedule of a queue. */
export interface Schedule<Data = unknown> {
  readonly name: string
  /** Its cron expression; null where it goes by an interval. */
  readonly cron: string | null
  readonly timezone: string
  /** Its interval; null where it goes by a cron expression. */
  readonly everyMs: number | null
  readonly catchUp: CatchUp
  readonly data: Data
  /** Before this it does not tick; null for no such bound. */
  readonly from: Date | null
  /** After this it does not tick; null for no such bound. */
  readonly until: Date | null
  /** When it ticks next; null once it is over. */
  readonly nextAt: Date | null
  /** Its last tick, fired or passed over; null before the first. */
  readonly lastAt: Date | null
}

const DEFAULT_CATCH_UP_LIMIT = 100
const MAX_CATCH_UP_LIMIT = 10_000
const OPTIONS = ['timezone', 'catchUp', 'catchUpLimit', 'from', 'until', ...JOB_OPTIONS]
/** What says when a schedule ticks. */
const WHEN = ['cron', 'timezone', 'everyMs', 'startsAt', 'endsAt']
const acceptTime = acceptorOf({ type: 'timestamp' })
const COLUMNS = schedules.columns.map(({ name }) => name)

/**
 * Makes a schedule, or changes the one of that name. While its cron and zone, or its interval, and its bounds stay the same its ticks do too, so that
 * processes that start again and again neither push the next tick away nor repeat one. A tick that was due and not fired is fired by the new
 * rule.
 */
export async function putSchedule(
  session: Session,
  queue: string,
  declaration: QueueDeclaration | undefined,
  name: string,
  when: string | ScheduleInterval,
  data: unknown,
  options: ScheduleOptions,
): Promise<Schedule> {
  const row = acceptSchedule(queue, declaration, name, when, data, options)
  return session.transaction(
    async (inner) => {
      const known = await look(inner, row)
      const isNew = known['cron'] === '' && known['everyMs'] === null
      const kept = WHEN.every((column) => isDeepStrictEqual(known[column], row[column]))
      const since = row['everyMs'] === null ? null : kept ? known['since'] : (row['startsAt'] ?? known['seenAt'])
      const moved = { ...known, ...row, since }
      const changed = kept ? moved : { ...moved, nextAt: dateOf(nextTick(ruleOf(moved), known, isNew)) }
      await rewrite(inner, [changed])
      return scheduleOf(changed)
    },
    { isolation: 'read committed' },
  )
}

/** The moment of a tick; null where there is none. */
export function dateOf(tick: number | null): Date | null {
  return tick === null ? null : new Date(tick)
}

/**
 * The rule of a schedule whose row says what was accepted.
 *
 * @throws ValidationError where another process accepted what this one cannot read: a zone that its runtime does not know, say.
 */
export function ruleOf(row: Row): TickRule {
  return withinPeriod(unboundedRuleOf(row), row['startsAt'] as Date | null, row['endsAt'] as Date | null)
}

function unboundedRuleOf(row: Row): TickRule {
  const everyMs = row['everyMs'] as number | null
  if (everyMs !== null) return intervalRule(everyMs, (row['since'] as Date).getTime())
  const issues: Issue[] = []
  const rule = readCron(row['cron'], row['timezone'], issues)
  if (rule === null) throw new ValidationError(`The schedule ${row['name']} of ${row['queue']} cannot be read`, issues)
  return rule
}

/**
 * The first tick that is not settled: after the last one, and after the database's time unless the old rule has a tick due; null
 * where there is none any more.
 */
function nextTick(rule: TickRule, known: Row, isNew: boolean): number | null {
  const [seenAt, nextAt, lastAt] = ['seenAt', 'nextAt', 'lastAt'].map((column) =>
    (known[column] as Date | null)?.getTime(),
  )
  const due = isNew || nextAt === undefined ? Number.POSITIVE_INFINITY : nextAt - 1
  const from = Math.min(seenAt as number, due)
  return rule.next(Math.max(from, lastAt ?? from))
}

/** The row of a schedule, locked, with the database's time in it; a new one has neither cron nor interval. */
async function look(session: Session, row: Row): Promise<Row> {
  const plan = session.plan('queue schedule look', () => ({
    kind: 'insert',
    model: schedules.name,
    columns: COLUMNS.map((column) => ({ column, value: column === 'seenAt' || column === 'nextAt' ? 'now' : 'given' })),
    leading: 0,
    onConflict: { columns: ['queue', 'name'], set: [proposed('seenAt')] },
    returning: COLUMNS,
  }))
  const offset = clockOffsetMs(session)
  const values: Row = { ...row, cron: '', everyMs: null, since: null, seenAt: offset, nextAt: offset, lastAt: null }
  const { rows } = await session.execute(
    plan,
    COLUMNS.map((column) => values[column]),
  )
  return rows[0] as Row
}

/** Writes schedules that are there and locked, all in one statement. */
export async function rewrite(session: Session, rows: readonly Row[]): Promise<void> {
  const plan = session.plan('queue schedule rewrite', () => ({
    kind: 'insert',
    model: schedules.name,
    columns: COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: {
      columns: ['queue', 'name'],
      set: COLUMNS.filter((column) => column !== 'queue' && column !== 'name').map(proposed),
    },
    returning: [],
  }))
  await session.execute(
    plan,
    rows.flatMap((row) => COLUMNS.map((column) => row[column])),
  )
}

/** Takes a schedule away; its jobs stay. Whether there was one. */
export async function removeSchedule(session: Session, queue: string, name: string): Promise<boolean> {
  return new Repository(session, schedules).delete({ queue, name } as never)
}

/** The schedules of a queue, by name. */
export async function listSchedules(session: Session, queue: string): Promise<Schedule[]> {
  const rows = await new Repository(session, schedules).find({ where: { queue } as never })
  return rows.map((row) => scheduleOf(row as Row))
}

function scheduleOf(row: Row): Schedule {
  const { name, cron, timezone, everyMs, catchUp, data, nextAt, lastAt } = row as unknown as Schedule
  const [from, until] = [row['startsAt'], row['endsAt']] as [Date | null, Date | null]
  return { name, cron: everyMs === null ? cron : null, timezone, everyMs, catchUp, data, from, until, nextAt, lastAt }
}

function acceptSchedule(...given: Parameters<typeof readSchedule>): Row {
  try {
    return readSchedule(...given)
  } catch (error) {
    const [queue, , , when, data, options] = given
    throw unreadable(error, `A schedule of ${queue} was refused`, { '': when, data, options })
  }
}

/** What a schedule is declared to be, as far as its row says so. */
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
