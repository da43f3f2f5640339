import type { Row } from '../../backend/index.ts'
import type { Field, Output, Select } from '../../statement/index.ts'
import { Binder, type Values } from './binder.ts'
import type { Catalog } from './catalog.ts'
import type { Place } from './definition.ts'
import { compileFinding } from './finding.ts'
import { compileGrouping, outputPlaces, outputReader } from './group.ts'
import { compileJoin } from './join.ts'
import { identityOfAll } from './order.ts'
import { rowMaker } from './output.ts'
import { allOf, compileCondition, type Places, type Reader, readerOf } from './predicate.ts'
import { drain, FilteredRows, ListedRows, type Rows, SlicedRows } from './rows.ts'
import { compileOrder, sortedRows } from './sorting.ts'
import type { Table } from './table.ts'
import type { StoredRow } from './values.ts'
import type { View } from './view.ts'

/** A select made ready. */
export interface Reading {
  /** The tables it reads. */
  readonly tables: readonly string[]
  /** Finds its rows, as far as they are asked for. */
  find(view: View, parameters: readonly unknown[], nowMs: number): Rows
  /** Turns a row that was found into one that is handed out. */
  handOut(row: StoredRow): Row
}

/** A step on the way from the rows of the first table to the result. */
type Step = (rows: Rows, values: Values, view: View) => Rows

/** Makes a select ready: find, join, filter, group, sort and cut, of which most selects need two or three. */
export function compileSelect(statement: Select, catalog: Catalog): Reading {
  const binder = new Binder()
  const places = placesOf(statement, catalog)
  const finding = compileFinding(statement, catalog, places, binder)
  const definitions = statement.joins.map(({ model }) => catalog.definitionOf(model))
  const steps: Step[] = []

  for (const [at, join] of statement.joins.entries()) {
    const joining = compileJoin(join, finding.access.joins[at]!, definitions[at]!, places)
    steps.push((rows, _, view) => joining(rows, view))
  }
  if (finding.later.length > 0) {
    const passes = allOf(finding.later.map((condition) => compileCondition(condition, places, binder)))
    steps.push((rows, values) => new FilteredRows(rows, passes, values))
  }
  const results = statement.groupBy === undefined ? undefined : outputPlaces(statement.outputs, places)
  const resultPlaces: Places = (field) => results?.get(field.column) as Place
  if (results !== undefined) {
    const group = compileGrouping(statement, places)
    const table = catalog.get(statement.model).table
    if (countsAll(statement)) steps.push((_, __, view) => sizeOf(view.table(table), statement.outputs.length))
    else steps.push((rows) => new ListedRows(group(rows)))
  }
  if (statement.having !== undefined) {
    const passes = compileCondition(statement.having, resultPlaces, binder)
    steps.push((rows, values) => new FilteredRows(rows, passes, values))
  }
  const readerOfField =
    results === undefined ? orderReader(statement, places) : (field: Field) => readerOf(resultPlaces(field))
  const inOrder = statement.orderBy.length === 0 || (results === undefined && finding.access.order !== null)
  steps.push(...lastSteps(statement, readerOfField, inOrder, places, binder))

  return {
    tables: [statement.model, ...statement.joins.map(({ model }) => model)].map((model) => catalog.get(model).table),
    find(view, parameters, nowMs) {
      const values = binder.bind(parameters, nowMs)
      let rows = finding.find(view, values)
      for (const step of steps) rows = step(rows, values, view)
      return rows
    },
    handOut: results === undefined ? compileOutputs(statement.outputs, places) : rowMaker(results),
  }
}

/** Rows of joins stand behind each other in one wide row. */
function placesOf({ model, joins }: Select, catalog: Catalog): Places {
  const definitions = [model, ...joins.map((join) => join.model)].map((name) => catalog.definitionOf(name))
  const starts = definitions.map((_, at) => definitions.slice(0, at).reduce((width, before) => width + before.width, 0))
  return (field) => {
    const at = Number(field.source)
    const place = definitions[at]!.placeOf(field)
    return { ...place, slot: place.slot + starts[at]! }
  }
}

/** Sorts, keeps the first rows of each owner, and cuts. */
function lastSteps(
  { orderBy, limit, offset, limitPer }: Select,
  readerOfField: (field: Field) => Reader,
  inOrder: boolean,
  places: Places,
  binder: Binder,
): Step[] {
  const steps: Step[] = []
  const offsetAt = offset === undefined ? undefined : binder.count(offset)
  const limitAt = limit === undefined ? undefined : binder.count(limit)
  const offsetIn = (values: Values) => (offsetAt === undefined ? 0 : (values[offsetAt] as number))
  const limitIn = (values: Values) => (limitAt === undefined ? Number.POSITIVE_INFINITY : (values[limitAt] as number))
  if (!inOrder) {
    const order = compileOrder(orderBy, readerOfField)
    const wanted = (values: Values) =>
      limitPer === undefined ? offsetIn(values) + limitIn(values) : Number.POSITIVE_INFINITY
    steps.push((rows, values) => sortedRows(rows, order, wanted(values)))
  }
  if (limitPer !== undefined) {
    const readers = limitPer.fields.map((field) => readerOf(places(field)))
    const perAt = binder.count(limitPer.limit)
    steps.push((rows, values) => new ListedRows(firstOfEach(rows, readers, values[perAt] as number)))
  }
  if (offsetAt !== undefined || limitAt !== undefined) {
    steps.push((rows, values) => new SlicedRows(rows, offsetIn(values), limitIn(values)))
  }
  return steps
}

/** Whether all that is asked is how many rows there are, which a table knows. */
function countsAll({ where, joins, outputs, groupBy }: Select): boolean {
  if (where !== undefined || joins.length > 0 || groupBy?.length !== 0) return false
  return outputs.every((output) => output.kind === 'aggregate' && output.field === undefined)
}

function sizeOf({ rows }: Table, outputs: number): Rows {
  return new ListedRows([Array.from({ length: outputs }, () => rows.size)])
}

function firstOfEach(rows: Rows, readers: readonly Reader[], limit: number): StoredRow[] {
  const counts = new Map<unknown, number>()
  return drain(rows).filter((row) => {
    const owner = identityOfAll(readers.map((read) => read(row)))
    const count = (counts.get(owner) ?? 0) + 1
    counts.set(owner, count)
    return count <= limit
  })
}

/** Where nothing is grouped, rows may be ordered by any field, and by what they are selected as. */
function orderReader({ outputs }: Select, places: Places): (field: Field) => Reader {
  return (field) => {
    const output = field.source === 'output' ? outputs.find(({ name }) => name === field.column) : undefined
    return output === undefined || output.kind === 'aggregate' ? readerOf(places(field)) : outputReader(output, places)
  }
}

function compileOutputs(outputs: readonly Output[], places: Places): (row: StoredRow) => Row {
  const plain = outputs.filter((output) => output.kind !== 'aggregate')
  if (plain.every(({ kind }) => kind === 'field')) {
    return rowMaker(new Map(plain.map(({ name, field }) => [name, places(field)])))
  }
  const readers = plain.map((output) => outputReader(output, places))
  const make = rowMaker(outputPlaces(plain, places))
  return (row) => make(readers.map((read) => read(row)))
}
