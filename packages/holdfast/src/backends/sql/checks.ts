import { sql } from 'kysely'
import { ConfigurationError } from '../../base/errors.ts'
import type { Model, ModelCheck, ModelColumn } from '../../schema/index.ts'
import { type Condition, EVERYTHING, modelScope, readWhere, Shape } from '../../statement/index.ts'
import { compileCondition } from './conditions.ts'
import type { Dialect, Sql } from './dialect.ts'
import { type ConditionContext, fieldsOf } from './fields.ts'
import { rangeName } from './names.ts'
import { literalValues } from './values.ts'

/**
 * The condition of a check. A check that is unknown passes in SQL, and ours is false then, hence `is true`.
 *
 * @throws ConfigurationError for one that the database cannot check.
 */
export function checkConstraint({ where, nullPasses, name }: ModelCheck, model: Model, dialect: Dialect): Sql {
  const shape = new Shape(name)
  const condition = readWhere(where, modelScope(model), shape) ?? EVERYTHING
  shape.assertValid(`The check ${name} is wrong`)
  if (!dialect.ddl.checksLists && hasList(condition)) {
    throw new ConfigurationError(`The check ${name} looks into a list, which this database does not do in a check.`, {
      hint: 'Check it with the schema of the documents or of the JSON column instead.',
    })
  }
  const fields = fieldsOf(model, dialect)
  const context: ConditionContext = { dialect, fields, values: literalValues(dialect, shape.parameters) }
  const holds = sql`(${compileCondition(condition, context)}) is true`
  if (nullPasses === undefined) return holds
  const passes = compileCondition({ kind: 'null', field: { source: 0, column: nullPasses, path: [] } }, context)
  return sql`${passes} or ${holds}`
}

function hasList(condition: Condition): boolean {
  if (condition.kind === 'and' || condition.kind === 'or') return condition.conditions.some(hasList)
  return condition.kind === 'not' ? hasList(condition.condition) : condition.kind === 'has'
}

/** The check that a column's values stay in the range or the set of its type, where the database's own type allows more. */
export function rangeConstraint(
  column: ModelColumn,
  model: Model,
  dialect: Dialect,
): { name: string; condition: Sql } | null {
  const reference = sql.id(column.column)
  const condition =
    column.values === undefined
      ? dialect.ddl.range(reference, column)
      : sql`${reference} in (${sql.join(column.values.map((value) => sql.lit(value)))})`
  return condition === null ? null : { name: rangeName(column, model), condition }
}
