import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Issue } from '../base/errors.ts'
import { isUuid } from '../base/ids.ts'
import type { ColumnType } from './column.ts'
import { describe, timeOf } from './describe.ts'
import { acceptJson, isStorableText, UNSTORABLE_TEXT } from './json.ts'
import { validateStandard } from './standard-schema.ts'

/**
 * Checks one value that is not null and gives it in the one form that every backend stores and gives back.
 * What is wrong with it is added to `issues`; the value given back is meaningless then.
 */
export type Acceptor = (value: unknown, path: string, issues: Issue[]) => unknown

/** How many characters a text, or how many bytes a `bytes` value may hold. */
const MAX_VALUE_LENGTH: number = 64 * 1024 * 1024

const MIN_BIGINT = -(2n ** 63n)
const MAX_BIGINT = 2n ** 63n - 1n
const MIN_TIME = -62_135_596_800_000 // 0001-01-01T00:00:00.000Z
const MAX_TIME = 253_402_300_799_999 // 9999-12-31T23:59:59.999Z
const DATE = /^\d{4}-\d{2}-\d{2}$/
const DECIMAL = /^(-?)0*(\d+)(?:\.(\d+))?$/

const text: Acceptor = (value, path, issues) => {
  if (typeof value !== 'string') return refuse(issues, path, 'must be text', value)
  if (value.length > MAX_VALUE_LENGTH) {
    return refuse(issues, path, `must hold at most ${MAX_VALUE_LENGTH} characters`, value)
  }
  if (!isStorableText(value)) issues.push({ path, reason: UNSTORABLE_TEXT })
  return value
}

const integer: Acceptor = (value, path, issues) =>
  Number.isSafeInteger(value) ? (value as number) + 0 : refuse(issues, path, 'must be a safe integer', value)

const bigint: Acceptor = (value, path, issues) =>
  typeof value === 'bigint' && value >= MIN_BIGINT && value <= MAX_BIGINT
    ? value
    : refuse(issues, path, 'must be a bigint of 64 bits', value)

const real: Acceptor = (value, path, issues) =>
  Number.isFinite(value) ? (value as number) + 0 : refuse(issues, path, 'must be a finite number', value)

const boolean: Acceptor = (value, path, issues) =>
  typeof value === 'boolean' ? value : refuse(issues, path, 'must be true or false', value)

const timestamp: Acceptor = (value, path, issues) => {
  if (!(value instanceof Date)) return refuse(issues, path, 'must be a Date', value)
  const time = timeOf(value)
  if (time >= MIN_TIME && time <= MAX_TIME) return new Date(time)
  return refuse(issues, path, 'must be a valid Date of the years 1 to 9999', value)
}

const date: Acceptor = (value, path, issues) => {
  const reason = "must be a day such as '2026-03-31'"
  if (typeof value !== 'string' || !DATE.test(value) || value < '0001-01-01') return refuse(issues, path, reason, value)
  const day = new Date(`${value}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== value)
    return refuse(issues, path, reason, value)
  return value
}

const uuid: Acceptor = (value, path, issues) =>
  typeof value === 'string' && isUuid(value) ? value.toLowerCase() : refuse(issues, path, 'must be a UUID', value)

const bytes: Acceptor = (value, path, issues) => {
  if (!(value instanceof Uint8Array)) return refuse(issues, path, 'must be a Uint8Array', value)
  if (value.byteLength > MAX_VALUE_LENGTH) {
    return refuse(issues, path, `must hold at most ${MAX_VALUE_LENGTH} bytes`, value)
  }
  return new Uint8Array(value)
}

function decimal(precision: number, scale: number): Acceptor {
  const reason = `must be a number as text with at most ${precision - scale} digits before and ${scale} after the point`
  return (value, path, issues) => {
    const match = typeof value === 'string' ? DECIMAL.exec(value) : null
    const [, sign = '', whole = '', fraction = ''] = match ?? []
    const digits = whole === '0' ? 0 : whole.length
    if (match === null || digits > precision - scale || fraction.length > scale)
      return refuse(issues, path, reason, value)
    const padded = scale === 0 ? whole : `${whole}.${fraction.padEnd(scale, '0')}`
    return /[1-9]/.test(padded) ? sign + padded : padded
  }
}

function oneOf(values: readonly string[]): Acceptor {
  const known = new Set<unknown>(values)
  const reason = `must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
  return (value, path, issues) => (known.has(value) ? value : refuse(issues, path, reason, value))
}

function json(schema: StandardSchemaV1 | undefined): Acceptor {
  if (schema === undefined) return acceptJson
  return (value, path, issues) => {
    const before = issues.length
    const output = validateStandard(schema, value, path, issues)
    return issues.length > before ? output : acceptJson(output, path, issues)
  }
}

/** The acceptor of a column. */
export function acceptorOf(column: {
  readonly type: ColumnType
  readonly values?: readonly string[]
  readonly precision?: number
  readonly scale?: number
  readonly schema?: StandardSchemaV1
}): Acceptor {
  switch (column.type) {
    case 'decimal':
      return decimal(column.precision ?? 18, column.scale ?? 0)
    case 'enum':
      return oneOf(column.values ?? [])
    case 'json':
      return json(column.schema)
    default:
      return { text, integer, bigint, real, boolean, timestamp, date, uuid, bytes }[column.type]
  }
}

function refuse(issues: Issue[], path: string, reason: string, value: unknown): undefined {
  issues.push({ path, reason: `${reason}, got ${describe(value)}` })
  return undefined
}
