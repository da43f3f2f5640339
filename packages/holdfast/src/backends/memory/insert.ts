import type { Result, Row } from '../../backend/index.ts'
import { StorageError } from '../../base/errors.ts'
import type { ModelColumn } from '../../schema/index.ts'
import type { Insert } from '../../statement/index.ts'
import { compileAssignments } from './assignment.ts'
import { Binder, type Values } from './binder.ts'
import type { Catalog } from './catalog.ts'
import type { Definition } from './definition.ts'
import { layOutOf } from './lay-out.ts'
import { columnsMaker } from './output.ts'
import type { RowChange, Table } from './table.ts'
import { validityOf } from './validity.ts'
import { encoderOf, type StoredRow, storedConstant } from './values.ts'
import type { View } from './view.ts'
import { type Write, writeWhole } from './write.ts'

/** Runs an insert. */
export type RunInsert = (view: View, parameters: readonly unknown[], nowMs: number) => Result

/** Makes an insert ready. */
export function compileInsert(statement: Insert, catalog: Catalog): RunInsert {
  const definition = catalog.definitionOf(statement.model)
  const layOut = compileRow(statement, definition)
  const returned = columnsMaker(definition, statement.returning)
  const store = compileStore(statement, definition)
  const width = statement.columns.length

  return (view, parameters, nowMs) =>
    writeWhole(view, (write) => {
      const table = view.writable(definition.model.table)
      const proposed: StoredRow[] = []
      // Without columns there are no parameters to count rows by: one row of nothing but a generated key.
      const count = width === 0 ? 1 : (parameters.length - statement.leading) / width
      for (let row = 0; row < count; row++) {
        proposed.push(layOut(parameters, statement.leading + row * width, nowMs, table))
      }
      const stored = store(write, table, proposed, parameters, nowMs)
      const rows: Row[] = statement.returning.length > 0 ? stored.map(returned) : []
      return { rows, count: stored.length }
    })
}

/** Lays out one row of the parameters as it is stored. */
type LayOut = (parameters: readonly unknown[], from: number, nowMs: number, table: Table) => StoredRow

/** Fills the slots of a row, but for a generated key and what indexes find in JSON. */
type FillSlots = (parameters: readonly unknown[], from: number, nowMs: number) => unknown[]

function compileRow(statement: Insert, definition: Definition): LayOut {
  const given = new Set(statement.columns.map(({ column }) => column))
  const left = definition.model.columns.map((column) => (given.has(column.name) ? undefined : column.default))
  const cells = new Map<number, string>()
  const constants: unknown[] = []
  const constant = (value: unknown): string => `constants[${constants.push(value) - 1}]`
  for (const [slot, fallback] of left.entries()) {
    if (fallback?.kind === 'now') cells.set(slot, 'nowMs')
    else if (fallback?.kind === 'value')
      cells.set(slot, constant(storedConstant(definition.model.columns[slot] as ModelColumn, fallback.value)))
  }
  for (const [at, { column, value }] of statement.columns.entries()) {
    const given = `parameters[from + ${at}]`
    const encode = encoderOf(definition.columnOf(column))
    const encoded = encode === undefined ? `${given} ?? null` : `${constant(encode)}(${given})`
    cells.set(definition.slotOf(column), value === 'now' ? `nowMs + ${given}` : encoded)
  }
  const names = ['parameters', 'from', 'nowMs']
  const fillSlots = layOutOf<FillSlots>(names, definition.width, cells, constants)
  const assertValid = validityOf(definition)
  const { generated } = definition
  return (parameters, from, nowMs, table) => {
    const row = fillSlots(parameters, from, nowMs)
    if (generated !== -1 && row[generated] === null) row[generated] = table.nextKey()
    definition.complete(row)
    assertValid(row)
    return row
  }
}

/** Stores rows, or what a conflict makes of them; gives the rows as they are then, without those that were dropped. */
type Store = (
  write: Write,
  table: Table,
  rows: readonly StoredRow[],
  parameters: readonly unknown[],
  nowMs: number,
) => readonly StoredRow[]

function compileStore({ onConflict }: Insert, definition: Definition): Store {
  if (onConflict === undefined) {
    return (write, table, rows) => {
      write.apply(table, rows.map(inserted))
      return rows
    }
  }
  const indexes = conflictIndexes(definition, onConflict.columns)
  const binder = new Binder()
  const change = onConflict.set.length === 0 ? undefined : compileAssignments(onConflict.set, definition, binder)
  return (write, table, rows, parameters, nowMs) => {
    const values: Values = binder.bind(parameters, nowMs)
    const stored: StoredRow[] = []
    for (const row of rows) {
      const before = collision(table, indexes, row)
      const after = before === undefined ? row : change?.(before, values, row)
      if (after === undefined) continue
      write.apply(table, [{ before, after }])
      stored.push(after)
    }
    return stored
  }
}

function inserted(after: StoredRow): RowChange {
  return { before: undefined, after }
}

/** A row that another one collides with in one of these indexes. */
function collision(table: Table, indexes: readonly (string | null)[], row: StoredRow): StoredRow | undefined {
  for (const index of indexes) {
    const other = table.tree(index).collision(row)
    if (other !== undefined) return other
  }
  return undefined
}

/** The indexes in which a row may collide: the one on these columns, or all that are unique; null is the primary key. */
function conflictIndexes(definition: Definition, columns: readonly string[]): readonly (string | null)[] {
  if (columns.length > 0) return [conflictIndex(definition, columns)]
  return [null, ...definition.model.indexes.filter(({ unique }) => unique).map(({ name }) => name)]
}

/** The unique index of these columns; null for the primary key. */
function conflictIndex({ model }: Definition, columns: readonly string[]): string | null {
  const wanted = [...columns].sort().join('\0')
  if ([...model.primaryKey].sort().join('\0') === wanted) return null
  const index = model.indexes.find(
    ({ unique, fields }) =>
      unique &&
      fields.every(({ path }) => path.length === 0) &&
      fields
        .map(({ column }) => column)
        .sort()
        .join('\0') === wanted,
  )
  if (index !== undefined) return index.name
  throw new StorageError('DRIVER', `No unique index of ${model.name} has the columns ${columns.join(' and ')}.`, {
    hint: 'Name the primary key or the columns of a unique index.',
  })
}
