import type { ColumnType, ModelColumn } from '../schema/index.ts'

/** The types that a column can be turned into without losing a value, besides its own. */
const CONVERSIONS: { readonly [Type in ColumnType]?: readonly ColumnType[] } = {
  text: ['enum', 'integer', 'bigint'],
  enum: ['text'],
  integer: ['bigint', 'real', 'decimal', 'text'],
  bigint: ['integer', 'text'],
  boolean: ['integer'],
  date: ['text'],
  uuid: ['text'],
}

/**
 * Whether a column's values can be kept when it becomes the other. A value that the new column cannot hold then fails the change; no value
 * is changed on the way.
 */
export function isConvertible(from: ModelColumn, to: ModelColumn): boolean {
  if (from.generated !== to.generated) return false
  if (from.type === 'decimal' && to.type === 'decimal') return (to.scale ?? 0) >= (from.scale ?? 0)
  return from.type === to.type || (CONVERSIONS[from.type]?.includes(to.type) ?? false)
}
