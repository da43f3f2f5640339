import { nullable } from '../../base/nullable.ts'
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

/** A value as it is stored. */
export type Encode = (value: unknown) => unknown

/**
 * Makes values of a type what is stored, so that they compare quickly and share nothing with the caller: timestamps as milliseconds, decimals as
 * whole numbers of their last digit, JSON and bytes as copies; undefined where they are that already.
 */
export function encoderOf({ type }: ValueType): Encode | undefined {
  switch (type) {
    case 'timestamp':
      return nullable((value: Date) => value.getTime())
    case 'decimal':
      return nullable((value: string) => BigInt(value.replace('.', '')))
    case 'json':
      return nullable(cloneJson)
    case 'bytes':
      return nullable((value: Uint8Array) => new Uint8Array(value))
    default:
      return undefined
  }
}

/** A value that a declaration names, as it is stored. */
export function storedConstant(column: ModelColumn, value: unknown): unknown {
  const accepted = value === null ? null : column.accept(value, column.name, [])
  const encode = encoderOf(column)
  return encode === undefined ? accepted : encode(accepted)
}

/** A stored value as it is handed out. */
export type Decode = (value: unknown) => unknown

/** Makes stored values of a type what is handed out, through which they cannot be changed; undefined where they are that already. */
export function decoderOf({ type, scale }: ValueType): Decode | undefined {
  switch (type) {
    case 'timestamp':
      return nullable((value: number) => new Date(value))
    case 'decimal':
      return nullable((value: bigint) => decimalText(value, scale ?? 0))
    case 'json':
    case 'path':
      return nullable(cloneJson)
    case 'bytes':
      return nullable((value: Uint8Array) => new Uint8Array(value))
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
