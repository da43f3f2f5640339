import type { Row } from './port.ts'

/** A copy of a row, or of a record and what was loaded beside it, that shares nothing with it. */
export function copyRow(row: Row): Row {
  const copy: Row = {}
  for (const name in row) copy[name] = copyValue(row[name])
  return copy
}

function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return new Date(value)
  if (value instanceof Uint8Array) return value.slice()
  return Array.isArray(value) ? value.map(copyValue) : copyRow(value as Row)
}
