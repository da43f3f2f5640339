/** From here on a bigint is not written out. */
const MAX_TOLD = 10n ** 40n

/**
 * A short description of a refused value. Long ones are cut, so that no error carries a whole document, and none is asked for anything but
 * what it is: a value that breaks when it is looked at is described all the same.
 */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return value > -MAX_TOLD && value < MAX_TOLD ? `${value}n` : 'a bigint of many digits'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  try {
    if (value instanceof Date)
      return Number.isNaN(timeOf(value)) ? 'an invalid Date' : new Date(timeOf(value)).toISOString()
    if (Array.isArray(value)) return 'a list'
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name !== '' ? `an object (${name.slice(0, 40)})` : 'an object'
  } catch {
    return 'an object that cannot be read'
  }
}

/** The time of a date, whatever its class makes of it; NaN for what only looks like one. */
export function timeOf(date: Date): number {
  try {
    return Date.prototype.getTime.call(date)
  } catch {
    return Number.NaN
  }
}
