import type { Result } from '../../backend/index.ts'
import type { Delete, Update } from '../../statement/index.ts'
import { compileAssignments } from './assignment.ts'
import { Binder, type Values } from './binder.ts'
import type { Catalog } from './catalog.ts'
import { compileFinding } from './finding.ts'
import { compileMoving } from './moving.ts'
import { columnsMaker } from './output.ts'
import { type Places, readerOf } from './predicate.ts'
import { drain, SlicedRows } from './rows.ts'
import { compileOrder, sortedRows } from './sorting.ts'
import type { RowChange } from './table.ts'
import type { StoredRow } from './values.ts'
import type { View } from './view.ts'
import { writeWhole } from './write.ts'

/** Runs an update or a delete. */
export type RunChange = (view: View, parameters: readonly unknown[], nowMs: number) => Result

/** Makes an update or a delete ready: its victims are all found before the first is changed. */
export function compileChange(statement: Update | Delete, catalog: Catalog): RunChange {
  const definition = catalog.definitionOf(statement.model)
  const places: Places = (field) => definition.placeOf(field)
  const binder = new Binder()
  const finding = compileFinding(statement, catalog, places, binder)
  const order = compileOrder(statement.orderBy, (field) => readerOf(places(field)))
  const limitAt = statement.limit === undefined ? undefined : binder.count(statement.limit)
  const change = statement.kind === 'update' ? compileAssignments(statement.set, definition, binder) : undefined
  const into = statement.kind === 'delete' ? statement.into : undefined
  const moving = into === undefined ? undefined : compileMoving(into, definition, catalog, binder)
  const returned = columnsMaker(definition, statement.returning)

  const victims = (view: View, values: Values): StoredRow[] => {
    const limit = limitAt === undefined ? Number.POSITIVE_INFINITY : (values[limitAt] as number)
    const found = finding.find(view, values)
    if (limit === Number.POSITIVE_INFINITY) return drain(found)
    return drain(finding.access.order === null ? sortedRows(found, order, limit) : new SlicedRows(found, 0, limit))
  }

  return (view, parameters, nowMs) => {
    const values = binder.bind(parameters, nowMs)
    return writeWhole(view, (write) => {
      const table = view.writable(definition.model.table)
      const rows: (RowChange & { readonly before: StoredRow })[] = []
      for (const before of victims(view, values)) rows.push({ before, after: change?.(before, values, before) })
      write.apply(table, rows)
      if (moving !== undefined) {
        const moved = rows.map(({ before }): RowChange => ({ before: undefined, after: moving.become(before, values) }))
        write.apply(view.writable(moving.target.model.table), moved)
      }
      const given = statement.returning.length === 0 ? [] : rows.map(({ before, after }) => returned(after ?? before))
      return { rows: given, count: rows.length }
    })
  }
}
