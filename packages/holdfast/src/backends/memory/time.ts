import type { DateUnit } from '../../statement/index.ts'

const MS: Readonly<Partial<Record<DateUnit, number>>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/** The start of the minute, hour, day, week (Monday), month, quarter or year of a time, in UTC. */
export function truncateTime(timeMs: number, unit: DateUnit): number {
  const unitMs = MS[unit]
  if (unitMs !== undefined) return Math.floor(timeMs / unitMs) * unitMs
  const date = new Date(timeMs)
  date.setUTCHours(0, 0, 0, 0)
  if (unit === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  else if (unit === 'month') date.setUTCDate(1)
  else date.setUTCMonth(unit === 'year' ? 0 : date.getUTCMonth() - (date.getUTCMonth() % 3), 1)
  return date.getTime()
}
