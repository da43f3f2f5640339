import type { Issue } from '../../base/errors.ts'
import { checkKnown, checkMs } from '../../schema/index.ts'
import type { TickRule } from './tick-rule.ts'

/** A schedule that ticks at a steady pace, whatever clocks and calendars say. */
export interface ScheduleInterval {
  /** From one tick to the next. They are counted from when the schedule was declared. */
  readonly everyMs: number
}

/** Whether a schedule is to go by an interval, be it one that is accepted or not. */
export function isInterval(when: unknown): when is ScheduleInterval {
  return typeof when === 'object' && when !== null && !Array.isArray(when)
}

/** Adds to `issues` what is wrong with an interval. */
export function checkInterval(when: ScheduleInterval, timezone: unknown, issues: Issue[]): void {
  checkKnown(when, ['everyMs'], '', issues)
  checkMs(when.everyMs, 1, 'everyMs', issues)
  if (timezone !== undefined)
    issues.push({ path: 'timezone', reason: 'must not be given with an interval, which is the same in every zone' })
}

/** Ticks so many milliseconds from each other, one of them at `since`. */
export function intervalRule(everyMs: number, since: number): TickRule {
  const lastUpTo = (time: number) => since + Math.floor((time - since) / everyMs) * everyMs
  return {
    next: (after) => lastUpTo(after) + everyMs,
    between(first, last, limit) {
      const latest = lastUpTo(last)
      const count = Math.max(0, Math.min(limit, Math.floor((latest - first) / everyMs) + 1))
      return Array.from({ length: count }, (_, at) => latest - (count - 1 - at) * everyMs)
    },
  }
}
