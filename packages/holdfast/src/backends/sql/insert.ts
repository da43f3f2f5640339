import { sql } from 'kysely'
import type { Model, ModelIndex, Models } from '../../schema/index.ts'
import type { Insert, InsertColumn } from '../../statement/index.ts'
import { compileAssignments } from './assignments.ts'
import type { Dialect, InsertQuery, Sql } from './dialect.ts'
import { type ConditionContext, columnOf, fieldsOf, modelOf } from './fields.ts'
import { type CompilableQuery, returnedColumns } from './outputs.ts'
import { present } from './tables.ts'
import { type Binding, boundValues } from './values.ts'

/**
 * How the rows of an insert are written: so many, one after the other; or `'lists'`, with the values of each column as
 * one list, so that one text inserts any number of rows. Only Postgres has lists.
 */
export type InsertRows = number | 'lists'

/** Makes SQL of an insert. */
export function insertQuery(statement: Insert, models: Models, dialect: Dialect, rows: InsertRows): CompilableQuery {
  const model = modelOf(models, statement.model)
  const context: ConditionContext = {
    dialect,
    fields: fieldsOf(model, dialect, model.table),
    values: boundValues(dialect),
  }
  const outputs = returnedColumns(model, statement.returning, dialect)
  const columns = statement.columns.map(({ column }) => columnOf(model, column).column)
  let query: InsertQuery = dialect.builder.insertInto(model.table)
  if (columns.length === 0) query = query.defaultValues()
  else query = query.columns(columns).expression(rowsOf(statement, model, context, rows))
  const { onConflict } = statement
  if (onConflict !== undefined) {
    const target = onConflict.columns.map((column) => columnOf(model, column).column)
    const set = compileAssignments(onConflict.set, model, context)
    query = query.onConflict((conflict) => {
      const sparse = sparseColumns(model, onConflict.columns)
      const whole = target.length === 0 ? conflict : conflict.columns(target)
      // Both engines want the condition of the index repeated, or they do not find it.
      const on = sparse.length === 0 ? whole : whole.where(present(sparse, model))
      return onConflict.set.length === 0 ? on.doNothing() : on.doUpdateSet(set)
    })
  }
  const returned = outputs.map(({ read, column }) => read.as(column.name))
  const given = statement.columns.map(({ column }) => columnOf(model, column)).find(({ generated }) => generated)
  // Read behind the outputs, where nobody looks: what matters is that it moves the counter on.
  if (given !== undefined)
    returned.push(...dialect.countOn(model.table, given.column).map((moved) => moved.as('counted')))
  if (returned.length > 0) query = query.returning(returned)
  return { query, outputs: outputs.map(({ column }) => column) }
}

/** The columns by which the unique index on these columns is sparse. */
function sparseColumns(model: Model, columns: readonly string[]): readonly string[] {
  const wanted = new Set(columns)
  const isOn = ({ fields }: ModelIndex) =>
    fields.length === wanted.size && fields.every(({ column, path }) => path.length === 0 && wanted.has(column))
  return model.indexes.find((index) => index.unique && isOn(index))?.sparse ?? []
}

function rowsOf(statement: Insert, model: Model, context: ConditionContext, rows: InsertRows): Sql {
  if (rows === 'lists') return listedRows(statement, model, context)
  const width = statement.columns.length
  const written = Array.from({ length: rows }, (_, row) => {
    const first = statement.leading + row * width
    return sql`(${sql.join(statement.columns.map((column, at) => cell(column, first + at, model, context)))})`
  })
  return sql`values ${sql.join(written)}`
}

function cell(
  { column, value }: InsertColumn,
  parameter: number,
  model: Model,
  { dialect, values }: ConditionContext,
): Sql {
  if (value === 'now') return dialect.now(values.place(parameter, dialect.codec({ type: 'real' }).type))
  const codec = dialect.codec(columnOf(model, column))
  return values.place(parameter, codec.type, codec.encode)
}

/** `unnest` gives the rows in the order of the lists. */
function listedRows({ columns, leading }: Insert, model: Model, { dialect }: ConditionContext): Sql {
  const lists = columns.map(({ column, value }, at) => {
    const codec = dialect.codec(value === 'now' ? { type: 'real' } : columnOf(model, column))
    const { encode } = codec
    const type = `${codec.type}[]`
    const binding: Binding = { parameter: leading + at, every: columns.length, type, ...(encode && { encode }) }
    return dialect.placeholder(binding, type)
  })
  const names = columns.map((_, at) => sql.id(`c${at}`))
  const cells = columns.map(({ value }, at) => {
    const given = names[at] as Sql
    return value === 'now' ? dialect.now(given) : given
  })
  return sql`select ${sql.join(cells)} from unnest(${sql.join(lists)}) as given(${sql.join(names)})`
}
