import type { ColumnType, ModelColumn } from '../schema/index.ts'

/** The types that a column can be turned into, besides its own; each way leads back. */
const CONVERSIONS: { readonly [Type in ColumnType]?: readonly ColumnType[] } = {
  text: ['enum', 'integer', 'bigint', 'date', 'uuid'],
  enum: ['text'],
  integer: ['bigint', 'real', 'decimal', 'text', 'boolean'],
  bigint: ['integer', 'text'],
  real: ['integer'],
  decimal: ['integer', 'decimal'],
  boolean: ['integer'],
  date: ['text'],
  uuid: ['text'],
}

/**
 * Whether a column's values can be kept when it becomes the other. A value that the new column cannot hold then fails the change; none is
 * rounded or cut on the way.
 */
export function isConvertible(from: ModelColumn, to: ModelColumn): boolean {
  if (from.generated !== to.generated) return false
  return from.type === to.type || (CONVERSIONS[from.type]?.includes(to.type) ?? false)
}
