import type { Row, Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { Repository } from '../../repository/index.ts'
import {
  acceptJson,
  checkKnown,
  describe,
  isStorableText,
  type QueueDeclaration,
  UNSTORABLE_TEXT,
} from '../../schema/index.ts'
import { proposed } from '../../statement/index.ts'
import { acceptJob, type EnqueueOptions } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { UNVERSIONED, versionOf } from '../job/payload.ts'
import { type CatchUp, schedules } from '../job/schedule-model.ts'
import { type CronRule, readCron } from './cron.ts'

/** How a schedule ticks, and what its jobs are like. */
export interface ScheduleOptions extends Pick<EnqueueOptions, 'priority' | 'maxAttempts' | 'key'> {
  /** The zone whose clocks count, by its IANA name; UTC unless given. */
  readonly timezone?: string
  /**
   * What becomes of ticks that came while no worker ran: `last` (the default) makes one job for the latest of them; `all` one for each, the
   * latest `catchUpLimit`; `none` passes over those that are more than a minute late.
   */
  readonly catchUp?: CatchUp
  /** How many missed ticks `all` makes jobs for at most; 100 unless given. */
  readonly catchUpLimit?: number
}

/** A schedule of a queue. */
export interface Schedule<Data = unknown> {
  readonly name: string
  readonly cron: string
  readonly timezone: string
  readonly catchUp: CatchUp
  readonly data: Data
  /** When it ticks next. */
  readonly nextAt: Date
  /** Its last tick, fired or passed over; null before the first. */
  readonly lastAt: Date | null
}

const DEFAULT_CATCH_UP_LIMIT = 100
const MAX_CATCH_UP_LIMIT = 10_000
const OPTIONS = ['timezone', 'catchUp', 'catchUpLimit', 'priority', 'maxAttempts', 'key']
const COLUMNS = schedules.columns.map(({ name }) => name)

interface Definition {
  readonly rule: CronRule
  readonly row: Row
}

/**
 * Makes a schedule, or changes the one of that name. While its cron and zone stay the same its ticks do too, so that processes that start
 * again and again neither push the next tick away nor repeat one. A tick that was due and not fired is fired by the new rule.
 */
export async function putSchedule(
  session: Session,
  queue: string,
  declaration: QueueDeclaration | undefined,
  name: string,
  cron: string,
  data: unknown,
  options: ScheduleOptions,
): Promise<Schedule> {
  const { rule, row } = readSchedule(queue, declaration, name, cron, data, options)
  return session.transaction(
    async (inner) => {
      const known = await look(inner, row)
      const isNew = known['cron'] === ''
      const kept = known['cron'] === row['cron'] && known['timezone'] === row['timezone']
      const nextAt = kept ? known['nextAt'] : new Date(nextTick(rule, known, isNew))
      const changed = { ...known, ...row, nextAt }
      await rewrite(inner, [changed])
      return scheduleOf(changed)
    },
    { isolation: 'read committed' },
  )
}

/** The first tick that is not settled: after the last one, and after the database's time unless the old rule has a tick due. */
function nextTick(rule: CronRule, known: Row, isNew: boolean): number {
  const [seenAt, nextAt, lastAt] = ['seenAt', 'nextAt', 'lastAt'].map((column) =>
    (known[column] as Date | null)?.getTime(),
  )
  const from = isNew ? (seenAt as number) : Math.min(seenAt as number, (nextAt as number) - 1)
  // Only a day that comes is accepted, so there is a next tick.
  return rule.next(Math.max(from, lastAt ?? from)) as number
}

/** The row of a schedule, locked, with the database's time in it; a new one has no cron. */
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
  const values: Row = { ...row, cron: '', seenAt: offset, nextAt: offset, lastAt: null }
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
  const { name, cron, timezone, catchUp, data, nextAt, lastAt } = row as unknown as Schedule
  return { name, cron, timezone, catchUp, data, nextAt, lastAt }
}

function readSchedule(
  queue: string,
  declaration: QueueDeclaration | undefined,
  name: string,
  cron: string,
  data: unknown,
  options: ScheduleOptions,
): Definition {
  const issues: Issue[] = []
  if (typeof name !== 'string' || name === '' || !isStorableText(name)) {
    const reason = typeof name === 'string' && name !== '' ? UNSTORABLE_TEXT : 'must be text that is not empty'
    issues.push({ path: 'name', reason })
  }
  const subject = `The schedule ${typeof name === 'string' ? name : describe(name)} of ${queue} was refused`
  checkKnown(options, OPTIONS, '', issues)
  if (typeof options !== 'object' || options === null) throw new ValidationError(subject, issues)
  const { timezone = 'UTC', catchUp = 'last', catchUpLimit = DEFAULT_CATCH_UP_LIMIT, ...job } = options
  if (!['none', 'last', 'all'].includes(catchUp))
    issues.push({ path: 'catchUp', reason: `must be none, last or all, got ${describe(catchUp)}` })
  if (!Number.isSafeInteger(catchUpLimit) || catchUpLimit < 1 || catchUpLimit > MAX_CATCH_UP_LIMIT) {
    const reason = `must be a whole number from 1 to ${MAX_CATCH_UP_LIMIT}, got ${describe(catchUpLimit)}`
    issues.push({ path: 'catchUpLimit', reason })
  }
  // It is kept as JSON and checked again for each job, whose schema may have changed by then.
  const stored = data === undefined ? null : acceptJson(data, 'data', issues)
  const wanted = Object.fromEntries(Object.entries(job).filter(([option]) => OPTIONS.includes(option)))
  if (issues.length === 0) acceptJob(declaration, { data: stored, options: wanted, path: '' }, issues)
  const rule = readCron(cron, timezone, issues)
  if (rule === null || issues.length > 0) throw new ValidationError(subject, issues)
  return {
    rule,
    row: {
      ...{ queue, name, cron: cron.trim(), timezone, catchUp, catchUpLimit, data: stored, options: wanted },
      version: versionOf(declaration) ?? UNVERSIONED,
    },
  }
}
