import { type ColumnType, cloneJson, type ModelColumn } from '../../schema/index.ts'

/**
 * A row as it is stored: the values of its columns in order, then those at indexed JSON paths. It is never changed; a write
 * puts another in its place, so that whoever still reads the old one is not disturbed.
 */
export type StoredRow = readonly unknown[]

/** What a stored value is: a column's type, or `path` for whatever stands at a JSON path. */
export interface ValueType {
  readonly type: ColumnType | 'path'
  /** Digits after the point of a decimal. */
  readonly scale?: number
}

/** What stands at a JSON path. */
export const PATH: ValueType = { type: 'path' }

/** The type of counts and the like. */
export const NUMBER: ValueType = { type: 'real' }

/** Types whose values are stored and handed out as they are. */
const PLAIN = new Set<ValueType['type']>(['text', 'integer', 'bigint', 'real', 'boolean', 'date', 'uuid', 'enum'])

/** Whether values of a type are stored and handed out as they are. */
export function isPlain({ type }: ValueType): boolean {
  return PLAIN.has(type)
}

/**
 * A value as it is stored, so that it compares quickly and shares nothing with the caller: timestamps as milliseconds,
 * decimals as whole numbers of their last digit, JSON and bytes as copies.
 */
export function encodeValue({ type }: ValueType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'timestamp':
      return (value as Date).getTime()
    case 'decimal':
      return BigInt((value as string).replace('.', ''))
    case 'json':
      return cloneJson(value)
    case 'bytes':
      return new Uint8Array(value as Uint8Array)
    default:
      return value
  }
}

/** A value that a declaration names, as it is stored. */
export function storedConstant(column: ModelColumn, value: unknown): unknown {
  return encodeValue(column, value === null ? null : column.accept(value, column.name, []))
}

/** A stored value as it is handed out. */
export type Decode = (value: unknown) => unknown

/** Makes stored values of a type what is handed out, through which they cannot be changed; undefined where they are that already. */
export function decoderOf({ type, scale }: ValueType): Decode | undefined {
  switch (type) {
    case 'timestamp':
      return (value) => (value === null ? null : new Date(value as number))
    case 'decimal':
      return (value) => (value === null ? null : decimalText(value as bigint, scale ?? 0))
    case 'json':
    case 'path':
      return (value) => (value === null ? null : cloneJson(value))
    case 'bytes':
      return (value) => (value === null ? null : new Uint8Array(value as Uint8Array))
    default:
      return undefined
  }
}

/** A decimal as text: `decimalText(-5n, 2)` is `'-0.05'`. */
function decimalText(units: bigint, scale: number): string {
  if (scale === 0) return String(units)
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
