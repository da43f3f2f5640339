import { isDeepStrictEqual } from 'node:util'
import type { Row, Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { Repository } from '../../repository/index.ts'
import { proposed } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { type CatchUp, schedules } from '../job/schedule-model.ts'
import { acceptSchedule } from './accept-schedule.ts'
import { readCron } from './cron.ts'
import { intervalRule } from './interval.ts'
import { withinPeriod } from './period.ts'
import type { TickRule } from './tick-rule.ts'

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

/** What says when a schedule ticks. */
const WHEN = ['cron', 'timezone', 'everyMs', 'startsAt', 'endsAt']
const COLUMNS = schedules.columns.map(({ name }) => name)

/**
 * Makes a schedule, or changes the one of that name. While its cron and zone, or its interval, and its bounds stay the same its ticks do too, so that
 * processes that start again and again neither push the next tick away nor repeat one. A tick that was due and not fired is fired by the new
 * rule.
 */
export async function putSchedule(session: Session, ...declared: Parameters<typeof acceptSchedule>): Promise<Schedule> {
  const row = acceptSchedule(...declared)
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
