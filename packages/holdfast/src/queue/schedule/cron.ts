import { Cron } from 'croner'
import type { Issue } from '../../base/errors.ts'
import { describe } from '../../schema/index.ts'
import type { TickRule } from './tick-rule.ts'
import { changeBetween, firstInstant, isTimezone, offsetMs } from './zone.ts'

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const FIELDS =
  'five fields (minute hour day month weekday), six with seconds first, a name such as @daily, or { everyMs }'
const FIRST_SPAN_MS = 60_000

/**
 * Reads a cron expression. What is wrong with it or the zone is added to `issues`, and null given.
 *
 * The parser only sees a clock without time zones; where the zone's clocks are changed, we decide:
 *
 * - A rule that names its hours ticks as often on that day as on any other: once in an hour that comes twice, the first time; and for times
 *   that are jumped over once, at the moment of the jump.
 * - A rule whose hour is `*` goes by elapsed time: it ticks in both of the hours, and not for those that never were.
 */
export function readCron(cron: unknown, timezone: unknown, issues: Issue[]): TickRule | null {
  const text = typeof cron === 'string' ? cron.trim() : ''
  const fields = (NICKNAMES[text.toLowerCase()] ?? text).split(/\s+/)
  if (!isTimezone(timezone))
    issues.push({
      path: 'timezone',
      reason: `must be an IANA time zone such as Europe/Berlin, got ${describe(timezone)}`,
    })
  if (fields.length !== 5 && fields.length !== 6)
    issues.push({ path: 'cron', reason: `must be ${FIELDS}, got ${describe(cron)}` })
  if (issues.length > 0) return null
  try {
    const clock = new Cron(fields.join(' '), { timezone: 'UTC', paused: true })
    const everyHour = fields.at(-4) === '*'
    const rule = ruleOf((wall) => clock.nextRun(new Date(wall))?.getTime() ?? null, timezone as string, everyHour)
    if (rule.next(Date.UTC(2000, 0, 1)) !== null) return rule
    issues.push({ path: 'cron', reason: `names a day that never comes, got ${describe(cron)}` })
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    issues.push({ path: 'cron', reason: `must be ${FIELDS}: ${reason}` })
  }
  return null
}

/** @param nextWall the first time after another that matches the fields, on a clock that is never changed. */
function ruleOf(nextWall: (wall: number) => number | null, timezone: string, everyHour: boolean): TickRule {
  const next = (after: number): number | null =>
    everyHour ? nextElapsed(nextWall, timezone, after) : nextNamed(nextWall, timezone, after)
  const ticks = (from: number, last: number): number[] => {
    const found: number[] = []
    for (let tick = next(from); tick !== null && tick <= last; tick = next(tick)) found.push(tick)
    return found
  }
  return {
    next,
    between(first, last, limit) {
      // From the end, because there may be millions of them.
      for (let spanMs = FIRST_SPAN_MS; ; spanMs *= 4) {
        const from = Math.max(first - 1, last - spanMs)
        const found = ticks(from, last)
        if (found.length >= limit || from === first - 1) return found.slice(-limit)
      }
    },
  }
}

function nextNamed(nextWall: (wall: number) => number | null, timezone: string, after: number): number | null {
  let wall = nextWall(after + offsetMs(timezone, after))
  for (; wall !== null; wall = nextWall(wall)) {
    const tick = firstInstant(timezone, wall)
    if (tick > after) return tick
  }
  return null
}

function nextElapsed(nextWall: (wall: number) => number | null, timezone: string, after: number): number | null {
  for (let from = after; ; ) {
    const offset = offsetMs(timezone, from)
    const wall = nextWall(from + offset)
    if (wall === null) return null
    if (offsetMs(timezone, wall - offset) === offset) return wall - offset
    // The clocks are changed before that: go on from the last moment before it, by the new offset.
    const change = changeBetween(timezone, from, wall - offset)
    const changed = offsetMs(timezone, change)
    const first = nextWall(change + changed - 1)
    if (first === null) return null
    if (offsetMs(timezone, first - changed) === changed) return first - changed
    from = change
  }
}
