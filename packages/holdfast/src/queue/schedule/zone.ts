/** How far a zone's clocks are ahead of UTC, in milliseconds, at an instant; negative west of Greenwich. */
export function offsetMs(timezone: string, instant: number): number {
  const parts = new Map(
    formatOf(timezone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year')
  const wall = Date.UTC(year, part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return wall - Math.floor(instant / 1_000) * 1_000
}

/** Whether this runtime knows a zone, such as `Europe/Berlin`. */
export function isTimezone(timezone: unknown): timezone is string {
  if (typeof timezone !== 'string') return false
  try {
    formatOf(timezone)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/**
 * The first instant at which a zone's clocks show a time, given as if it were UTC. A time that the clocks jump over is taken for the
 * moment at which they jump.
 */
export function firstInstant(timezone: string, wall: number): number {
  const before = offsetMs(timezone, wall - DAY_MS)
  const after = offsetMs(timezone, wall + DAY_MS)
  const [early, late] = before > after ? [before, after] : [after, before]
  for (const offset of [early, late]) if (offsetMs(timezone, wall - offset) === offset) return wall - offset
  return changeBetween(timezone, wall - early, wall - late)
}

/** The instant at which the offset has changed, between one before a change and one after it. */
export function changeBetween(timezone: string, before: number, after: number): number {
  const offset = offsetMs(timezone, before)
  let [same, changed] = [before, after]
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2)
    if (offsetMs(timezone, middle) === offset) same = middle
    else changed = middle
  }
  return changed
}

const DAY_MS = 86_400_000

/** Making one costs a thousand times what using it does. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone)
  if (known !== undefined) return known
  const numeric = 'numeric' as const
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    hourCycle: 'h23',
    era: 'short',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  })
  formats.set(timezone, format)
  return format
}
