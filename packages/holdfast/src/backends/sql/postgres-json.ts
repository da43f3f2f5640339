import { sql } from 'kysely'
import type { JsonScalar } from '../../statement/index.ts'
import { type Codec, JSON_RANK, type JsonPath, type MemberChange, type Sql, type Values } from './dialect.ts'

/** How a scalar that is compared with one in `jsonb` is bound. Booleans compare as 0 and 1. */
export const POSTGRES_SCALARS: Record<JsonScalar, Codec> = {
  text: { type: 'text' },
  number: { type: 'numeric', encode: String },
  boolean: { type: 'numeric', encode: (value) => (value === true ? '1' : '0') },
}

/**
 * `jsonb` has an order of its own (objects, lists, booleans, numbers, texts by the database's collation), so what stands at
 * a path is taken apart into the rank of its type, its text and its number. Equality and `has` are containment instead:
 * a GIN index finds it, and Postgres estimates it well, where it takes `->> = ` for half a percent of any table.
 */
export function postgresPath(column: Sql, steps: readonly string[]): JsonPath {
  // `->` with a text takes a key of an object; `#>` would also take an element of a list by number.
  const json =
    steps.length === 0 ? column : sql`(${sql.join([column, ...steps.map((step) => sql.lit(step))], sql` -> `)})`
  const type = sql`jsonb_typeof(${json})`
  const rank = sql`(case ${type} when 'boolean' then 1 when 'number' then 2 when 'string' then 3 when 'array' then 4 when 'object' then 4 end)`
  const text = sql`(case ${type} when 'string' then ${json} #>> '{}' end collate "C")`
  const number = sql`(case ${type} when 'number' then ${json}::numeric when 'boolean' then ${json}::boolean::integer end)`
  const whole = sql`nullif(${json}, 'null'::jsonb)`
  // An index on a path is (rank, text, number): `is null` lets a comparison of numbers use its third column.
  const is = (of: JsonScalar): Sql => {
    const ranked = sql`${rank} = ${sql.lit(JSON_RANK[of])}`
    return of === 'text' ? ranked : sql`${ranked} and ${text} is null`
  }
  const contains = (parameter: number, values: Values, wrap: (value: unknown) => unknown): Sql => {
    const encode = (value: unknown): string =>
      JSON.stringify(steps.reduceRight((inner, step) => ({ [step]: inner }), wrap(value)))
    return sql`${column} @> ${values.place(parameter, 'jsonb', encode)}`
  }
  return {
    rank,
    whole,
    identity: whole,
    extreme: (operation) => {
      const call = sql.raw(operation)
      const numberOf = (which: number): Sql => sql`${call}(${number}) filter (where ${rank} = ${sql.lit(which)})`
      const anyOther = sql`(array_agg(${json}) filter (where ${rank} = 4))[1]`
      return sql`case ${call}(${rank}) when 1 then to_jsonb((${numberOf(1)})::integer::boolean) when 2 then to_jsonb(${numberOf(2)}) when 3 then to_jsonb(${call}(${text})) when 4 then ${anyOther} end`
    },
    total: (operation) => {
      const numbers = sql`filter (where ${rank} = 2)`
      const sum = sql`sum(${number}::double precision) ${numbers}`
      return operation === 'sum' ? sum : sql`${sum} / count(*) ${numbers}`
    },
    keys: [rank, text, number],
    uniqueKeys: [sql`(case when ${type} in ('string', 'number', 'boolean') then ${json} end)`],
    is,
    scalar: (of) => (of === 'text' ? text : number),
    equals: (_, parameter, values) => contains(parameter, values, (value) => value),
    has: (_, parameter, values) => contains(parameter, values, (value) => [value]),
  }
}

/** Numbers are added as doubles, as JavaScript adds them: `numeric` would make 0.1 + 0.2 exactly 0.3. */
export function postgresMembers(column: Sql, changes: readonly MemberChange[]): Sql {
  const sets = changes.filter(({ operation }) => operation === 'set')
  const changed: Sql[] = [column]
  if (sets.length > 0) {
    const members = sets.map(({ name, value }) => sql`${sql.lit(name)}, ${value}`)
    changed.push(sql`jsonb_build_object(${sql.join(members)})`)
  }
  for (const { name, value, operation } of changes) {
    if (operation === 'set') continue
    const member = sql`coalesce(${column} -> ${sql.lit(name)}, '0'::jsonb)`
    const total = sql`jsonb_build_object(${sql.lit(name)}, ${sumInRange(sql`${member}::double precision`, value)})`
    changed.push(sql`case when jsonb_typeof(${member}) = 'number' then ${total} else '{}'::jsonb end`)
  }
  return sql`case when jsonb_typeof(${column}) = 'object' then ${sql.join(changed, sql` || `)} else ${column} end`
}

/** Where two safe integers add up to none the sum is made to overflow, so that it is the same error as an overflow. */
function sumInRange(stored: Sql, added: Sql): Sql {
  const isSafe = (number: Sql): Sql => sql`(${number} = trunc(${number}) and abs(${number}) <= 9007199254740991)`
  const leftRange = sql`${isSafe(stored)} and ${isSafe(added)} and abs(${stored} + ${added}) > 9007199254740991`
  return sql`case when ${leftRange} then (${stored} + ${added}) * 1e300 * 1e300 else ${stored} + ${added} end`
}
