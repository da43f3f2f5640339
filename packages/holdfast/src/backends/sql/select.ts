import { sql } from 'kysely'
import type { Models } from '../../schema/index.ts'
import type { Direction, Order, Select } from '../../statement/index.ts'
import { compileCondition, equalTerms } from './conditions.ts'
import type { AliasedSql, Dialect, SelectQuery, Sql } from './dialect.ts'
import { aliasOf, type ConditionContext, type Fields, joinedFields, modelOf, plainOf, type Term } from './fields.ts'
import { type CompilableQuery, type CompiledOutput, compileOutput } from './outputs.ts'
import { boundOperands } from './values.ts'

/** Makes SQL of a select. */
export function selectQuery(statement: Select, models: Models, dialect: Dialect): CompilableQuery {
  const fields = joinedFields(statement, models, dialect)
  const outputs = statement.outputs.map((output) => compileOutput(output, fields, dialect))
  const context: ConditionContext = {
    dialect,
    fields: withOutputs(fields, outputs, statement.groupBy !== undefined, dialect),
    values: boundOperands(dialect),
  }
  let query = joinedTables(statement, models, dialect, fields)
  if (statement.where !== undefined) query = query.where(compileCondition(statement.where, context))
  if (statement.groupBy !== undefined && statement.groupBy.length > 0) {
    const grouped = statement.groupBy.map(
      (name) => outputs.find(({ column }) => column.name === name) as CompiledOutput,
    )
    query = query.groupBy(grouped.map(({ identity }) => identity))
  }
  if (statement.having !== undefined) query = query.having(compileCondition(statement.having, context))
  const columns = outputs.map(({ column }) => column)
  if (statement.limitPer !== undefined) {
    const { limitPer } = statement
    return { query: firstOfEach(query, { ...statement, limitPer }, outputs, context), outputs: columns }
  }
  query = query.select(selected(outputs.map(({ read, column }) => read.as(column.name))))
  for (const step of orderSteps(statement.orderBy, context)) query = query.orderBy(step)
  query = limited(query, statement, context)
  if (statement.locked === true) query = locked(query, statement, dialect)
  return { query, outputs: columns }
}

/**
 * Fields that stand for outputs are what the outputs are. What stands at a path that rows are grouped by is taken apart
 * after the grouping: Postgres knows the grouped expression only as a whole.
 */
function withOutputs(fields: Fields, outputs: readonly CompiledOutput[], grouped: boolean, dialect: Dialect): Fields {
  const terms = new Map(
    outputs.map(({ column, term }): [string, Term] => [
      column.name,
      grouped && term.kind === 'path' ? { kind: 'path', path: dialect.path(term.path.whole, []) } : term,
    ]),
  )
  return (field) => (field.source === 'output' ? (terms.get(field.column) as Term) : fields(field))
}

function joinedTables({ model, joins }: Select, models: Models, dialect: Dialect, fields: Fields): SelectQuery {
  const table = (of: string, source: number) => sql.id(modelOf(models, of).table).as(aliasOf(source))
  let query: SelectQuery = dialect.builder.selectFrom(table(model, 0))
  for (const [index, join] of joins.entries()) {
    const pairs = join.on.map(([here, there]) => equalTerms(fields(here), fields(there), dialect))
    const on: Sql = pairs.length === 0 ? sql`true` : sql.join(pairs, sql` and `)
    const joined = table(join.model, index + 1)
    query =
      join.kind === 'left'
        ? query.leftJoin(joined, (condition) => condition.on(on))
        : query.innerJoin(joined, (condition) => condition.on(on))
  }
  return query
}

/** Locks the rows that a query gives, where rows can be locked. */
export function locked(query: SelectQuery, { skipLocked }: Pick<Select, 'skipLocked'>, dialect: Dialect): SelectQuery {
  if (!dialect.locksRows) return query
  return skipLocked === true ? query.forUpdate().skipLocked() : query.forUpdate()
}

/** SQLite selects no rows without columns. */
function selected(columns: AliasedSql[]): AliasedSql[] {
  return columns.length === 0 ? [sql`1`.as('nothing')] : columns
}

/** One key of an ordering; a JSON path has several. */
interface Step {
  readonly key: Sql
  readonly direction: Direction
  readonly nullable: boolean
}

function stepsOf(orderBy: readonly Order[], { fields }: ConditionContext): Step[] {
  return orderBy.flatMap(({ field, direction }): Step[] => {
    const term = fields(field)
    if (term.kind === 'value') return [{ key: term.sql, direction, nullable: term.nullable }]
    return term.path.keys.map((key) => ({ key, direction, nullable: true }))
  })
}

/** The steps of an ordering in SQL. */
export function orderSteps(orderBy: readonly Order[], context: ConditionContext): Sql[] {
  const steps = stepsOf(orderBy, context)
  return steps.map(({ key, direction, nullable }) => context.dialect.ordered(key, direction, nullable))
}

/** Adds the greatest number of rows, and of rows passed over. */
export function limited(
  query: SelectQuery,
  statement: Pick<Select, 'limit' | 'offset'>,
  context: ConditionContext,
): SelectQuery {
  const { dialect, values } = context
  const { type } = dialect.codec({ type: 'integer' })
  const { limit, offset } = statement
  if (limit === undefined && offset === undefined) return query
  const bounded = query.limit(limit === undefined ? dialect.everyRow : values.place(limit, type))
  return offset === undefined ? bounded : bounded.offset(values.place(offset, type))
}

/** The first rows of each group by the ordering, in that ordering. */
function firstOfEach(
  query: SelectQuery,
  statement: Select & Required<Pick<Select, 'limitPer'>>,
  outputs: readonly CompiledOutput[],
  context: ConditionContext,
): SelectQuery {
  const { dialect, fields, values } = context
  const steps = stepsOf(statement.orderBy, context)
  const groups = statement.limitPer.fields.map((field) => plainOf(fields(field)))
  const ordering = orderSteps(statement.orderBy, context)
  const by = ordering.length === 0 ? sql`` : sql` order by ${sql.join(ordering)}`
  const place = sql`row_number() over (partition by ${sql.join(groups)}${by})`
  const inner = query.select([
    ...outputs.map(({ read }, index) => read.as(`c${index}`)),
    ...steps.map(({ key }, index) => key.as(`o${index}`)),
    place.as('place'),
  ])
  const limit = values.place(statement.limitPer.limit, dialect.codec({ type: 'integer' }).type)
  let outer: SelectQuery = dialect.builder
    .selectFrom(inner.as('ranked'))
    .select(selected(outputs.map(({ column }, index) => sql.id(`c${index}`).as(column.name))))
    .where(sql<boolean>`${sql.id('place')} <= ${limit}`)
  for (const [index, { direction, nullable }] of steps.entries()) {
    outer = outer.orderBy(dialect.ordered(sql.id(`o${index}`), direction, nullable))
  }
  return limited(outer, statement, context)
}
