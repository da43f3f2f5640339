import { sql } from 'kysely'
import type { Model, Models } from '../../schema/index.ts'
import type { Condition, Select } from '../../statement/index.ts'
import { type Binding, compileStatement, postgresDialect } from '../sql/index.ts'
import type { Cells } from './driver.ts'
import type { Reply, Request } from './exchange.ts'
import { nameOf } from './prepared-text.ts'
import { arrayLiteral } from './wire-values.ts'

/** One statement that runs a select for many calls: each parameter is a list with the values of all calls. */
export interface Lookup {
  request(calls: readonly (readonly unknown[])[]): Request
  /** The rows that each call found. */
  found(reply: Reply, calls: number): Cells[][]
}

/** Whether a select finds one row at most, by equality of all columns of the primary key or of a unique index. */
export function isLookup({ where, joins, groupBy }: Select, model: Model): boolean {
  return joins.length === 0 && groupBy === undefined && matchesOneRow(where, model)
}

/** Whether one row at most meets a condition, because it gives all columns of the primary key or of a unique index. */
export function matchesOneRow(where: Condition | undefined, model: Model): boolean {
  const columns = new Set<string>()
  if (where === undefined || !onlyEqualities(where, columns)) return false
  const unique = model.indexes.filter((index) => index.unique && index.fields.every(({ path }) => path.length === 0))
  const keys = [model.primaryKey, ...unique.map(({ fields }) => fields.map(({ column }) => column))]
  return keys.some((key) => key.every((column) => columns.has(column)))
}

/** Whether a condition is only equalities of columns with parameters; adds the columns to `into`. */
function onlyEqualities(condition: Condition, into: Set<string>): boolean {
  if (condition.kind === 'and') return condition.conditions.every((inner) => onlyEqualities(inner, into))
  if (condition.kind !== 'compare' || condition.operator !== 'eq') return false
  const { field, operand, json } = condition
  if (json !== undefined || operand.kind !== 'parameter') return false
  into.add(field.column)
  return true
}

/**
 * Compiles a select so that its parameters are columns of a list of calls. `offset 0` keeps Postgres from turning the two into a join,
 * which it might begin at the wrong end when it knows little about the table: each call uses the index.
 */
export function compileLookup(statement: Select, models: Models, prepare: boolean): Lookup {
  const bindings: Binding[] = []
  const dialect = {
    ...postgresDialect,
    placeholder: (value: unknown) => sql`${sql.id('call', `p${bindings.push(value as Binding) - 1}`)}`,
  }
  const { text: inner, outputs } = compileStatement(statement, models, dialect)
  const { limit, offset } = statement
  const fence = limit === undefined && offset === undefined ? ' offset 0' : ''
  const lists = bindings.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')
  const columns = bindings.map((_, at) => `"p${at}"`).join(', ')
  const text = `select "row".*, "call"."n" from unnest(${lists}) with ordinality as "call"(${columns}, "n"), lateral (${inner}${fence}) as "row"`
  const name = prepare ? nameOf(text) : ''
  return {
    request: (calls) => ({
      name,
      text,
      values: bindings.map(({ parameter, encode }) => {
        const values = calls.map((parameters) => parameters[parameter])
        return arrayLiteral(encode === undefined ? values : values.map(encode))
      }),
    }),
    found: ({ rows }, calls) => {
      const found: Cells[][] = Array.from({ length: calls }, () => [])
      for (const row of rows) found[Number(row[outputs.length]) - 1]?.push(row)
      return found
    },
  }
}
