import { sql } from 'kysely'
import type { Alteration, Kept } from '../../backend/index.ts'
import type { Model, ModelColumn, Models } from '../../schema/index.ts'
import { rangeConstraint } from './checks.ts'
import type { Dialect, Sql } from './dialect.ts'
import { constantOf, defaultOf, referenceOf } from './tables.ts'

/**
 * The statement that copies the rows of a table into the one that takes its place. Names have changed by then, types have not.
 */
export function copyStatement({ to, columns, fill }: Alteration, target: string, dialect: Dialect): string {
  const kept = columns.kept.map((pair): [ModelColumn, Sql] => [pair.to, converted(pair)])
  const added = columns.added
    .filter(({ generated }) => !generated)
    .map((column): [ModelColumn, Sql] => [column, defaultOf(column, dialect) ?? sql`null`])
  const filled = [...kept, ...added].map(([column, value]): [ModelColumn, Sql] => {
    if (!fill.has(column.name)) return [column, value]
    const given = constantOf(fill.get(column.name), column, dialect)
    return [column, columns.added.includes(column) ? given : sql`coalesce(${value}, ${given})`]
  })
  const names = sql.join(filled.map(([{ column }]) => sql.id(column)))
  const values = sql.join(filled.map(([, value]) => value))
  const statement = sql`insert into ${sql.id(target)} (${names}) select ${values} from ${sql.id(to.table)}`
  return statement.compile(dialect.builder).sql
}

/**
 * A value as one of the other type. SQLite itself turns whole numbers into reals and back, and digits into whole numbers, or refuses; where it
 * would let something else pass, a blob is put in its place, which no column here takes.
 */
function converted({ from, to }: Kept<ModelColumn>): Sql {
  const value = sql.id(to.column)
  const only = (condition: Sql, result: Sql = value): Sql =>
    sql`case when ${value} is null or ${condition} then ${result} else x'00' end`
  const digits = (to.type === 'decimal' ? (to.scale ?? 0) : 0) - (from.type === 'decimal' ? (from.scale ?? 0) : 0)
  const factor = sql.raw(`1${'0'.repeat(Math.abs(digits))}`)
  if (digits > 0) return sql`${value} * ${factor}`
  if (digits < 0) return only(sql`${value} % ${factor} = 0`, sql`${value} / ${factor}`)
  if (from.type === to.type) return value
  if (to.type === 'boolean') return only(sql`${value} in (0, 1)`)
  if (to.type === 'date') return only(sql`date(${value}) = ${value}`)
  if (to.type === 'uuid') return only(sql`lower(${value}) glob ${sql.lit(UUID)}`, sql`lower(${value})`)
  return to.type === 'text' ? sql`cast(${value} as text)` : value
}

const UUID = [8, 4, 4, 4, 12].map((length) => '[0-9a-f]'.repeat(length)).join('-')

/** The statement that adds a column to a SQLite table in place, with what belongs to it. */
export function addColumnStatement(column: ModelColumn, model: Model, models: Models, dialect: Dialect): string {
  const given = defaultOf(column, dialect)
  const range = rangeConstraint(column, model, dialect)
  const parts = [
    sql`alter table ${sql.id(model.table)} add column ${sql.id(column.column)} ${dialect.ddl.columnType(column)}`,
    ...(column.nullable ? [] : [sql`not null`]),
    ...(given === null ? [] : [sql`default ${given}`]),
    ...(range === null ? [] : [sql`constraint ${sql.id(range.name)} check (${range.condition})`]),
    ...model.foreignKeys
      .filter((key) => key.column === column.name)
      .map((key) => {
        const { target, references, onDelete, onUpdate } = referenceOf(key, model, models)
        const [reference = ''] = references
        const actions = sql.raw(`on delete ${onDelete} on update ${onUpdate}`)
        return sql`constraint ${sql.id(key.name)} references ${sql.id(target)} (${sql.id(reference)}) ${actions}`
      }),
  ]
  return sql.join(parts, sql` `).compile(dialect.builder).sql
}
