import { sql } from 'kysely'
import type { ForeignKey, Model, Models } from '../../schema/index.ts'
import type { Condition, Delete, Insert, Statement, Update } from '../../statement/index.ts'
import { compileCondition } from './conditions.ts'
import type { Dialect, Sql } from './dialect.ts'
import { type ConditionContext, columnOf, fieldsOf, modelOf } from './fields.ts'
import { type Binding, boundOperands } from './values.ts'

/**
 * A question to a database that does not say which foreign key a statement broke: when it gives a row, this one.
 */
export interface ReferenceQuestion {
  readonly text: string
  /** What to bind; it is asked once with each. */
  readonly bindings: readonly (readonly Binding[])[]
  /** The model that refers. */
  readonly model: string
  /** Its field. */
  readonly field: string
}

/**
 * The questions that find the broken foreign key of a statement that had no effect, to be asked in order.
 *
 * @param rows how many rows an insert had.
 */
export function referenceQuestions(
  statement: Statement,
  models: Models,
  dialect: Dialect,
  rows: number,
): ReferenceQuestion[] {
  if (statement.kind === 'select') return []
  const model = modelOf(models, statement.model)
  const context: ConditionContext = { dialect, fields: fieldsOf(model, dialect, 't'), values: boundOperands(dialect) }
  // A record may refer to another of the same statement, which is not there now: those are asked about last.
  const foreignKeys = model.foreignKeys.toSorted(
    (left, right) => Number(left.model === model.name) - Number(right.model === model.name),
  )
  const missing = foreignKeys.flatMap((foreignKey) =>
    missingTargets(statement, foreignKey, model, rows, context, models),
  )
  if (statement.kind === 'insert') return missing
  const removed = statement.kind === 'delete' || changesKey(statement, model)
  return removed
    ? [...missing, ...remainingReferences(model, keysOf(statement, model, context), context, models, [])]
    : missing
}

/** Whether a value that is written refers to nothing. */
function missingTargets(
  statement: Insert | Update | Delete,
  foreignKey: ForeignKey,
  model: Model,
  rows: number,
  { dialect, values }: ConditionContext,
  models: Models,
): ReferenceQuestion[] {
  const target = modelOf(models, foreignKey.model)
  const codec = dialect.codec(columnOf(model, foreignKey.column))
  const written = parametersOf(statement, foreignKey.column, rows)
  if (written.length === 0) return []
  const value = (): Sql => values.place(0, codec.type, codec.encode)
  const found = sql`select 1 from ${sql.id(target.table)} where ${keyOf(target)} = ${value()}`
  const asked = question(
    sql`select 1 where ${value()} is not null and not exists (${found})`,
    foreignKey,
    model,
    dialect,
  )
  const [bindings = []] = asked.bindings
  return [{ ...asked, bindings: written.map((parameter) => bindings.map((binding) => ({ ...binding, parameter }))) }]
}

/** The parameters that a statement writes to a column. */
function parametersOf(statement: Insert | Update | Delete, column: string, rows: number): number[] {
  if (statement.kind === 'delete') return []
  const set = statement.kind === 'update' ? statement.set : (statement.onConflict?.set ?? [])
  const assigned = set.flatMap(({ field, operand }) =>
    field.column === column && operand?.kind === 'parameter' ? [operand.parameter] : [],
  )
  if (statement.kind === 'update') return assigned
  const at = statement.columns.findIndex((one) => one.column === column)
  const width = statement.columns.length
  const inserted = at === -1 ? [] : Array.from({ length: rows }, (_, row) => statement.leading + row * width + at)
  return [...assigned, ...inserted]
}

function changesKey({ set }: Update, model: Model): boolean {
  return set.some(({ field }) => model.primaryKey.includes(field.column))
}

/** The keys of the rows that a statement is about, as a query. */
function keysOf({ where }: Update | Delete, model: Model, context: ConditionContext): Sql {
  const key = sql.id('t', columnOf(model, model.primaryKey[0] as string).column)
  const condition: Condition = where ?? { kind: 'and', conditions: [] }
  return sql`select ${key} from ${sql.id(model.table)} as t where ${compileCondition(condition, context)}`
}

/** Whether records still refer to keys that go; records that go along with them are asked about in turn. */
function remainingReferences(
  model: Model,
  keys: Sql,
  context: ConditionContext,
  models: Models,
  path: readonly Model[],
): ReferenceQuestion[] {
  if (path.includes(model)) return []
  const gone = withDescendants(model, keys)
  return [...models.values()].flatMap((other) =>
    other.foreignKeys
      .filter((foreignKey) => foreignKey.model === model.name)
      .flatMap((foreignKey): ReferenceQuestion[] => {
        const column = sql.id(columnOf(other, foreignKey.column).column)
        const referring = sql`from ${sql.id(other.table)} where ${column} in (${gone})`
        if (foreignKey.onDelete === 'restrict') {
          return [question(sql`select 1 ${referring}`, foreignKey, other, context.dialect)]
        }
        if (foreignKey.onDelete === 'setNull' || other.primaryKey.length > 1) return []
        return remainingReferences(other, sql`select ${keyOf(other)} ${referring}`, context, models, [...path, model])
      }),
  )
}

/** The keys of records together with those of the same model that go with them, however deep. */
function withDescendants(model: Model, keys: Sql): Sql {
  const owners = model.foreignKeys.filter(
    (foreignKey) => foreignKey.model === model.name && foreignKey.onDelete === 'cascade',
  )
  if (owners.length === 0) return keys
  const belongs = owners.map(({ column }) => sql`${sql.id(columnOf(model, column).column)} = gone.k`)
  const next = sql`select ${keyOf(model)} from ${sql.id(model.table)} join gone on ${sql.join(belongs, sql` or `)}`
  return sql`with recursive gone(k) as (${keys} union ${next}) select k from gone`
}

function keyOf(model: Model): Sql {
  return sql.id(columnOf(model, model.primaryKey[0] as string).column)
}

function question(query: Sql, foreignKey: ForeignKey, model: Model, dialect: Dialect): ReferenceQuestion {
  const { sql: text, parameters } = sql`${query} limit 1`.compile(dialect.builder)
  return { text, bindings: [parameters as readonly Binding[]], model: model.name, field: foreignKey.column }
}
