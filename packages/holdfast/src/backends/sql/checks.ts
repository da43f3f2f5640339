import { sql } from 'kysely'
import type { Model, ModelCheck, ModelColumn } from '../../schema/index.ts'
import { EVERYTHING, readCheck } from '../../statement/index.ts'
import { compileCondition } from './conditions.ts'
import type { Dialect, Sql } from './dialect.ts'
import { type ConditionContext, fieldsOf } from './fields.ts'
import { rangeName } from './names.ts'
import { literalValues } from './values.ts'

/**
 * The condition of a check. A check that is unknown passes in SQL, and ours is false then, hence `is true`.
 *
 * @throws ConfigurationError for one that is wrong.
 */
export function checkConstraint(check: ModelCheck, model: Model, dialect: Dialect): Sql {
  const { condition = EVERYTHING, parameters } = readCheck(check, model)
  const { nullPasses } = check
  const fields = fieldsOf(model, dialect)
  const context: ConditionContext = { dialect, fields, values: literalValues(dialect, parameters) }
  const holds = sql`(${compileCondition(condition, context)}) is true`
  if (nullPasses === undefined) return holds
  const passes = compileCondition({ kind: 'null', field: { source: 0, column: nullPasses, path: [] } }, context)
  return sql`${passes} or ${holds}`
}

/** A check that belongs to a column's type. */
export interface RangeConstraint {
  readonly name: string
  readonly condition: Sql
}

/**
 * The check that a column's values stay in the range or the set of its type, where the database's own type allows more. None for tables that
 * only Holdfast writes: Postgres reads a check anew for every statement, which takes it longer than to write the row.
 */
export function rangeConstraint(column: ModelColumn, model: Model, dialect: Dialect): RangeConstraint | null {
  if (model.own === true || (column.values === undefined && !dialect.ddl.checksRanges)) return null
  return typeConstraint(column, model, dialect)
}

/** The same for values of another type that become those of this one: also where nothing else could leave the range. */
export function typeConstraint(column: ModelColumn, model: Model, dialect: Dialect): RangeConstraint | null {
  const reference = sql.id(column.column)
  const condition =
    column.values === undefined
      ? dialect.ddl.range(reference, column)
      : dialect.isAmong(
          reference,
          column.values.map((value) => sql.lit(value)),
        )
  return condition === null ? null : { name: rangeName(column, model), condition }
}
