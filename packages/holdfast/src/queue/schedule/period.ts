import type { TickRule } from './tick-rule.ts'

/** The ticks of a rule within a period, both ends of which belong to it. */
export function withinPeriod(rule: TickRule, from: Date | null, until: Date | null): TickRule {
  if (from === null && until === null) return rule
  const begins = from?.getTime() ?? Number.NEGATIVE_INFINITY
  const ends = until?.getTime() ?? Number.POSITIVE_INFINITY
  return {
    next(after) {
      const tick = rule.next(Math.max(after, begins - 1))
      return tick === null || tick > ends ? null : tick
    },
    between: (first, last, limit) => rule.between(first, Math.min(last, ends), limit),
  }
}
