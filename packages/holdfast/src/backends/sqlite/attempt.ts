import type { Model, Models } from '../../schema/index.ts'
import { type Assignment, type Condition, field, type Insert, type Statement } from '../../statement/index.ts'
import { bindAll, compileStatement, sqliteDialect } from '../sql/index.ts'
import type { Database } from './driver.ts'

/** What was being done when a driver failed. */
export interface Attempt {
  readonly statement: Statement
  readonly parameters: readonly unknown[]
  /** The connection; it can be asked what the driver's error does not say. */
  readonly database: Database
}

/** How many rows an insert had. */
export function rowsIn({ statement, parameters }: Attempt): number {
  if (statement.kind !== 'insert' || statement.columns.length === 0) return 1
  return (parameters.length - statement.leading) / statement.columns.length
}

/** Whether the one row of an insert has a key that is taken. */
export function isKeyTaken(attempt: Attempt, models: Models): boolean {
  const { statement } = attempt
  if (statement.kind !== 'insert' || statement.onConflict !== undefined || rowsIn(attempt) !== 1) return false
  const where = sameAs(statement, (models.get(statement.model) as Model).primaryKey)
  return where !== undefined && isThere(attempt, where, models)
}

/** What a statement came down to: an upsert of one row is an insert of it, or an update of the one with which it collides. */
export function cameTo(attempt: Attempt, models: Models): Statement {
  const { statement } = attempt
  if (statement.kind !== 'insert' || statement.onConflict === undefined || rowsIn(attempt) !== 1) return statement
  const { onConflict, ...insert } = statement
  const where = sameAs(statement, onConflict.columns)
  if (where === undefined || !isThere(attempt, where, models)) return insert
  const set = onConflict.set.map((assignment) => plain(assignment, statement))
  return { kind: 'update', model: statement.model, set, where, orderBy: [], returning: [] }
}

/** The parameter of a column of an insert's first row; undefined where the database makes it up. */
function parameterOf({ columns, leading }: Insert, column: string): number | undefined {
  const at = columns.findIndex((one) => one.column === column)
  return at === -1 ? undefined : leading + at
}

/** The condition for rows that have the same values in these columns as an insert's row. */
function sameAs(statement: Insert, columns: readonly string[]): Condition | undefined {
  const parameters = columns.map((column) => parameterOf(statement, column))
  if (parameters.includes(undefined)) return undefined
  const conditions = columns.map((column, at): Condition => {
    const operand = { kind: 'parameter', parameter: parameters[at] as number } as const
    return { kind: 'compare', field: field(column), operator: 'eq', operand }
  })
  return { kind: 'and', conditions }
}

function plain(assignment: Assignment, statement: Insert): Assignment {
  const parameter = parameterOf(statement, assignment.field.column)
  if (assignment.operation !== 'proposed' || parameter === undefined) return assignment
  return { field: assignment.field, operation: 'set', operand: { kind: 'parameter', parameter } }
}

function isThere({ statement: { model }, parameters, database }: Attempt, where: Condition, models: Models): boolean {
  const question = { kind: 'select', model, joins: [], outputs: [], where, orderBy: [] } as const
  const { text, bindings } = compileStatement(question, models, sqliteDialect)
  return database.prepareRead(text).get(...bindAll(bindings, parameters)) !== undefined
}
