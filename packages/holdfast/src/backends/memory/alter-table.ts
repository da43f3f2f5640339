import { type AlterTable, alterationOf, type Kept } from '../../backend/index.ts'
import { ConstraintError } from '../../base/errors.ts'
import type { ModelColumn } from '../../schema/index.ts'
import type { Catalog } from './catalog.ts'
import { Definition } from './definition.ts'
import { drain } from './rows.ts'
import type { Table } from './table.ts'
import { validityOf } from './validity.ts'
import { type StoredRow, storedConstant } from './values.ts'
import type { TransactionView } from './view.ts'

/** Gives the value of one column for a row of the old table. */
type Source = (row: StoredRow) => unknown

/**
 * Alters a table: its rows are laid out anew and judged like rows that are written.
 *
 * @throws ConstraintError, ConflictError
 */
export function alterTable(view: TransactionView, change: AlterTable, nowMs: number): void {
  const { from, to, columns, fill, foreignKeys } = alterationOf(change)
  const before = view.catalog.byTable(from.table) as Definition
  const definition = new Definition(to)
  const kept = new Map(columns.kept.map((pair) => [pair.to, pair]))
  const sources = to.columns.map((column): Source => {
    const given = fill.has(column.name) ? storedConstant(column, fill.get(column.name)) : null
    const pair = kept.get(column)
    if (pair === undefined) {
      const value = given ?? defaultOf(column, nowMs)
      return () => value
    }
    const slot = before.slotOf(pair.from.name)
    const convert = conversionOf(pair, to.name)
    return (row) => (row[slot] === null ? given : convert(row[slot]))
  })
  const old = view.table(from.table)
  const table = old.withDefinition(definition, (row) => sources.map((source) => source(row)))
  const assertValid = validityOf(definition)
  for (const row of drain(table.all())) assertValid(row)
  if (from.table !== to.table) view.replace(view.catalog.without(from.table), from.table, null)
  view.replace(view.catalog.with(definition), to.table, table)
  for (const { column, model } of foreignKeys.added) assertReferences(view, view.catalog, table, column, model)
}

function defaultOf(column: ModelColumn, nowMs: number): unknown {
  if (column.default?.kind === 'now') return nowMs
  return column.default?.kind === 'value' ? storedConstant(column, column.default.value) : null
}

/** Values as those of the other type; one that cannot be is refused. */
function conversionOf({ from, to }: Kept<ModelColumn>, model: string): (value: unknown) => unknown {
  const digits = (to.type === 'decimal' ? (to.scale ?? 0) : 0) - (from.type === 'decimal' ? (from.scale ?? 0) : 0)
  if (from.type === 'decimal' || to.type === 'decimal') {
    const convert = (value: unknown): bigint => shifted(BigInt(value as number | bigint), digits, to, model)
    return to.type === 'decimal' ? convert : (value) => accepted(to, Number(convert(value)), model)
  }
  if (from.type === to.type) return (value) => (to.type === 'enum' ? accepted(to, value, model) : value)
  if (to.type === 'text') return String
  if (to.type === 'bigint') return (value) => BigInt(wholeNumber(to, value, model))
  if (to.type === 'integer') return (value) => accepted(to, Number(wholeNumber(to, value, model)), model)
  if (to.type === 'boolean') return (value) => accepted(to, value === 1 ? true : value === 0 ? false : value, model)
  return (value) => accepted(to, value, model)
}

/** A decimal with so many more digits after the point, or so many less where they are zeros. */
function shifted(units: bigint, digits: number, column: ModelColumn, model: string): bigint {
  const factor = 10n ** BigInt(Math.abs(digits))
  const result = digits < 0 ? units / factor : units * factor
  const limit = column.type === 'decimal' ? 10n ** BigInt(column.precision ?? 0) : 2n ** 63n
  if ((digits < 0 && result * factor !== units) || result >= limit || result <= -limit) throw refusal(column, model)
  return result
}

function wholeNumber(column: ModelColumn, value: unknown, model: string): string | number | bigint | boolean {
  if (typeof value === 'string' && !/^-?\d+$/.test(value)) throw refusal(column, model)
  if (typeof value === 'number' && !Number.isInteger(value)) throw refusal(column, model)
  return value as string | number | bigint | boolean
}

function accepted(column: ModelColumn, value: unknown, model: string): unknown {
  const issues: { path: string; reason: string }[] = []
  const given = column.accept(value, column.name, issues)
  if (issues.length > 0) throw refusal(column, model)
  return given
}

function refusal(column: ModelColumn, model: string): ConstraintError {
  return new ConstraintError('CONSTRAINT_CHECK', model, [column.name])
}

function assertReferences(view: TransactionView, catalog: Catalog, table: Table, column: string, target: string): void {
  const { definition } = table
  const slot = definition.slotOf(column)
  const there = catalog.find(target)?.model.table
  for (const row of drain(table.all())) {
    const key = row[slot]
    if (key === null || (there !== undefined && view.table(there).get([key]) !== undefined)) continue
    throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', definition.model.name, [column])
  }
}
