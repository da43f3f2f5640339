import { ConflictError, ConstraintError, type HoldfastError } from '../../base/errors.ts'
import type { Model, Models } from '../../schema/index.ts'
import type { Assignment, Statement } from '../../statement/index.ts'
import { columnOf, modelOf } from './fields.ts'
import { fieldName, primaryKeyName, rangeName } from './names.ts'
import { resultTooLarge } from './outputs.ts'

/**
 * What the names of broken constraints mean: databases say which constraint was broken, the caller hears which fields of
 * which model.
 */

/** The model of a table; undefined for tables that are not ours. */
export function modelOfTable(models: Models, table: string): Model | undefined {
  for (const model of models.values()) if (model.table === table) return model
  return undefined
}

/** The error for a broken unique index or primary key of this name. */
export function uniqueViolation(models: Models, constraint: string, cause: unknown): ConflictError {
  for (const model of models.values()) {
    if (primaryKeyName(model) === constraint)
      return new ConflictError('CONFLICT_UNIQUE', model.name, model.primaryKey, cause)
    const index = model.indexes.find(({ name }) => name === constraint)
    if (index === undefined) continue
    const fields = index.fields.map((field) => fieldName(model, field))
    return new ConflictError('CONFLICT_UNIQUE', model.name, fields, cause)
  }
  return new ConflictError('CONFLICT_UNIQUE', constraint, [], cause)
}

/** The error for a broken foreign key of this name; it names the model and the field that refer, whichever side was written. */
export function foreignKeyViolation(models: Models, constraint: string, cause: unknown): ConstraintError {
  for (const model of models.values()) {
    const broken = model.foreignKeys.find(({ name }) => name === constraint)
    if (broken !== undefined) return new ConstraintError('CONSTRAINT_FOREIGN_KEY', model.name, [broken.column], cause)
  }
  return new ConstraintError('CONSTRAINT_FOREIGN_KEY', constraint, [], cause)
}

/** The error for a broken check of this name. */
export function checkViolation(models: Models, constraint: string, cause: unknown): ConstraintError {
  for (const model of models.values()) {
    const check = model.checks.find(({ name }) => name === constraint)
    if (check !== undefined) return new ConstraintError('CONSTRAINT_CHECK', model.name, check.fields, cause)
    const column = model.columns.find((one) => rangeName(one, model) === constraint)
    if (column !== undefined) return new ConstraintError('CONSTRAINT_CHECK', model.name, [column.name], cause)
  }
  return new ConstraintError('CONSTRAINT_CHECK', constraint, [], cause)
}

/** The error for a null, or a value of a wrong type, in a column that takes none; both names are the database's. */
export function columnViolation(
  code: 'CONSTRAINT_NOT_NULL' | 'CONSTRAINT_CHECK',
  models: Models,
  table: string,
  column: string,
  cause: unknown,
): ConstraintError {
  const model = modelOfTable(models, table)
  const field = model?.columns.find((one) => one.column === column)
  return new ConstraintError(code, model?.name ?? table, [field?.name ?? column], cause)
}

/**
 * The error for a number that became too large on the way: in an increment, or in the sum of a select.
 *
 * @param integers whether it was one of an integer column, or another one.
 * @returns undefined for a statement that makes no numbers.
 */
export function outOfRange(
  statement: Statement,
  models: Models,
  integers: boolean,
  cause: unknown,
): HoldfastError | undefined {
  if (statement.kind === 'select') {
    const sum = statement.outputs.find((output) => output.kind === 'aggregate' && output.function !== 'count')
    return sum === undefined ? undefined : resultTooLarge(sum.name, 'adds up to more than 64 bits')
  }
  const model = modelOf(models, statement.model)
  const fields = assignmentsOf(statement)
    .filter(({ field, operation }) => operation === 'increment' && isInteger(model, field) === integers)
    .map(({ field }) => fieldName(model, field))
  return fields.length === 0 ? undefined : new ConstraintError('CONSTRAINT_CHECK', model.name, fields, cause)
}

/** The error for an insert that no generated key was left for; undefined for other statements. */
export function keysUsedUp(statement: Statement, models: Models, cause: unknown): ConstraintError | undefined {
  if (statement.kind !== 'insert') return undefined
  const { name, primaryKey } = modelOf(models, statement.model)
  return new ConstraintError('CONSTRAINT_CHECK', name, primaryKey, cause)
}

function assignmentsOf(statement: Exclude<Statement, { readonly kind: 'select' }>): readonly Assignment[] {
  if (statement.kind === 'update') return statement.set
  return statement.kind === 'insert' ? (statement.onConflict?.set ?? []) : []
}

function isInteger(model: Model, { column, path }: Assignment['field']): boolean {
  return path.length === 0 && columnOf(model, column).type === 'integer'
}
