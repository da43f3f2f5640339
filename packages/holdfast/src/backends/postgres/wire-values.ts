import type { WireValue } from './driver.ts'

/** Makes text or bytes for the wire of what a dialect binds: text, numbers, booleans, `Buffer`s, null, and lists of these. */
export function wireValue(value: unknown): WireValue {
  if (typeof value === 'string' || value === null || value instanceof Buffer) return value
  return Array.isArray(value) ? arrayLiteral(value) : String(value)
}

const SPECIAL = /["\\]/
const EVERY_SPECIAL = /["\\]/g

/** A list as Postgres writes an array. Text is always quoted, so that the text `NULL` is not null. */
export function arrayLiteral(values: readonly unknown[]): string {
  let literal = '{'
  for (let index = 0; index < values.length; index++) {
    if (index > 0) literal += ','
    literal += element(values[index])
  }
  return `${literal}}`
}

function element(value: unknown): string {
  if (typeof value === 'string') {
    return SPECIAL.test(value) ? `"${value.replace(EVERY_SPECIAL, '\\$&')}"` : `"${value}"`
  }
  if (value === null) return 'NULL'
  return value instanceof Buffer ? `"\\\\x${value.toString('hex')}"` : String(value)
}
