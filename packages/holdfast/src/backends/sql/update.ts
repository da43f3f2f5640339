import { sql } from 'kysely'
import type { Model, Models } from '../../schema/index.ts'
import { type Condition, type Delete, keyFields, type Update } from '../../statement/index.ts'
import { compileAssignments } from './assignments.ts'
import { compileCondition } from './conditions.ts'
import type { Dialect, Sql } from './dialect.ts'
import { aliasOf, type ConditionContext, fieldsOf, modelOf, plainOf } from './fields.ts'
import { type CompilableQuery, type CompiledOutput, returnedColumns } from './outputs.ts'
import { limited, locked, orderSteps } from './select.ts'
import { boundOperands } from './values.ts'

/** Makes SQL of an update. */
export function updateQuery(statement: Update, models: Models, dialect: Dialect): CompilableQuery {
  const model = modelOf(models, statement.model)
  const { context, where, outputs } = writeParts(statement, model, dialect)
  const set = compileAssignments(statement.set, model, context)
  let query = dialect.builder.updateTable(sql.id(model.table).as(aliasOf(0))).set(set)
  if (where !== undefined) query = query.where(where)
  const columns = outputs.map(({ column }) => column)
  if (columns.length === 0) return { query, outputs: columns }
  return { query: query.returning(outputs.map(({ read, column }) => read.as(column.name))), outputs: columns }
}

/** Makes SQL of a delete. */
export function deleteQuery(statement: Delete, models: Models, dialect: Dialect): CompilableQuery {
  const model = modelOf(models, statement.model)
  const { where, outputs } = writeParts(statement, model, dialect)
  let query = dialect.builder.deleteFrom(sql.id(model.table).as(aliasOf(0)))
  if (where !== undefined) query = query.where(where)
  const columns = outputs.map(({ column }) => column)
  if (columns.length === 0) return { query, outputs: columns }
  return { query: query.returning(outputs.map(({ read, column }) => read.as(column.name))), outputs: columns }
}

/** What updates and deletes are made of. */
export interface WriteParts {
  readonly context: ConditionContext
  readonly where: Sql | undefined
  readonly outputs: readonly CompiledOutput[]
}

/** Makes what updates and deletes have in common. */
export function writeParts(statement: Update | Delete, model: Model, dialect: Dialect): WriteParts {
  const context: ConditionContext = {
    dialect,
    fields: fieldsOf(model, dialect, aliasOf(0)),
    values: boundOperands(dialect),
  }
  const chosen = statement.limit !== undefined || statement.skipLocked === true
  const where = chosen ? chosenRows(statement, model, context) : asWhere(statement.where, context)
  return { context, where, outputs: returnedColumns(model, statement.returning, dialect) }
}

function asWhere(where: Condition | undefined, context: ConditionContext): Sql | undefined {
  return where === undefined ? undefined : compileCondition(where, context)
}

/** The rows to write are chosen, and locked where rows are, by a query of their keys: neither database limits a write itself. */
function chosenRows(statement: Update | Delete, model: Model, outer: ConditionContext): Sql {
  const { dialect } = outer
  const alias = 'chosen'
  const context: ConditionContext = { ...outer, fields: fieldsOf(model, dialect, alias) }
  const key = keyFields(model)
  const inner = key.map((field, at) => plainOf(context.fields(field)).as(`k${at}`))
  let query = dialect.builder.selectFrom(sql.id(model.table).as(alias)).select(inner)
  const where = asWhere(statement.where, context)
  if (where !== undefined) query = query.where(where)
  for (const step of orderSteps(statement.orderBy, context)) query = query.orderBy(step)
  query = locked(limited(query, statement, context), statement, dialect)
  return dialect.chosenBy(
    key.map((field) => plainOf(outer.fields(field))),
    sql`${query}`,
  )
}
