import { sql } from 'kysely'
import type { JsonScalar } from '../../statement/index.ts'
import { type Codec, JSON_RANK, type JsonPath, type MemberChange, type Sql, type Values } from './dialect.ts'

/**
 * SQLite keeps JSON as text, which compares its own way: booleans are 1 and 0, lists and objects are texts. So what
 * stands at a path is taken apart into the rank of its type and its value; an index on a path holds both, and serves
 * comparisons and orderings alike.
 */
export function sqlitePath(column: Sql, steps: readonly string[]): JsonPath {
  const path = steps.length === 0 ? sql.lit('$') : sql.lit(pathText(steps))
  const type = sql`json_type(${column}, ${path})`
  const rank = sql`case ${type} when 'true' then 1 when 'false' then 1 when 'integer' then 2 when 'real' then 2 when 'text' then 3 when 'array' then 4 when 'object' then 4 end`
  // An integer past 2^53 is text in JSON and a rounded double in JavaScript: as reals the two compare as JavaScript would.
  const value = sql`case ${type} when 'integer' then json_extract(${column}, ${path}) + 0.0 when 'array' then null when 'object' then null else json_extract(${column}, ${path}) end`
  const whole = sql`nullif(${column} -> ${path}, 'null')`
  const is = (json: JsonScalar): Sql => sql`${rank} = ${sql.lit(JSON_RANK[json])}`
  return {
    rank,
    whole,
    identity: sql`case when ${type} in ('integer', 'real') then ${value} else ${whole} end`,
    extreme: (operation) => {
      const call = sql.raw(operation)
      const of = (json: JsonScalar): Sql => sql`${call}(${value}) filter (where ${is(json)})`
      const anyOther = sql`max(${whole}) filter (where ${rank} = 4)`
      return sql`case ${call}(${rank}) when 1 then iif(${of('boolean')}, 'true', 'false') when 2 then ${realText(of('number'))} when 3 then json_quote(${of('text')}) when 4 then ${anyOther} end`
    },
    total: (operation) => sql`${sql.raw(operation)}(${value}) filter (where ${is('number')})`,
    keys: [rank, value],
    uniqueKeys: [rank, value],
    is,
    scalar: () => value,
    equals: (json, parameter, values) => sql`(${is(json)} and ${value} = ${place(json, parameter, values)})`,
    has: (json, parameter, values) => {
      const element = sql`case element.type when 'integer' then element.value + 0.0 else element.value end`
      const listed = sql`select 1 from json_each(${column}, ${path}) as element where ${elementIs[json]} and ${element} = ${place(json, parameter, values)}`
      return sql`(${type} = 'array' and exists (${listed}))`
    },
  }
}

/** How a scalar that is compared with one in JSON is bound. Numbers compare as reals. */
export const SQLITE_SCALARS: Record<JsonScalar, Codec> = {
  text: { type: 'TEXT' },
  number: { type: 'REAL' },
  boolean: { type: 'INTEGER', encode: (value) => (value === true ? 1 : 0) },
}

function place(json: JsonScalar, parameter: number, values: Values): Sql {
  const { type, encode } = SQLITE_SCALARS[json]
  return values.place(parameter, type, encode)
}

const elementIs: Record<JsonScalar, Sql> = {
  text: sql`element.type = 'text'`,
  number: sql`element.type in ('integer', 'real')`,
  boolean: sql`element.type in ('true', 'false')`,
}

/** Every step is a key, whatever characters it has: quoted as JSON quotes it, which is how SQLite reads it. */
function pathText(steps: readonly string[]): string {
  return `$${steps.map((step) => `.${JSON.stringify(step)}`).join('')}`
}

/**
 * `json_set` for members that are set; an incremented one is replaced where it is a number or missing, which is 0, and
 * otherwise by itself. A sum that is whole is written as an integer, as JavaScript writes it: `1`, not `1.0`.
 */
export function sqliteMembers(column: Sql, changes: readonly MemberChange[]): Sql {
  const sets = changes.filter(({ operation }) => operation === 'set')
  const increments = changes.filter(({ operation }) => operation === 'increment')
  let changed = column
  if (sets.length > 0) {
    const members = sets.map(({ name, value }) => sql`${sql.lit(pathText([name]))}, json(${value})`)
    changed = sql`json_set(${changed}, ${sql.join(members)})`
  }
  if (increments.length > 0) {
    const members = increments.map(({ name, value }) => {
      const path = sql.lit(pathText([name]))
      const incremented = sql`case when coalesce(json_type(${column}, ${path}), 'integer') in ('integer', 'real') then ${total(column, path, value)} else ${column} -> ${path} end`
      return sql`${path}, json(${incremented})`
    })
    changed = sql`json_set(${changed}, ${sql.join(members)})`
  }
  return changed
}

/**
 * The sum as JSON. Where two safe integers add up to an unsafe one, or the sum to an infinity, it is not JSON: SQLite's `malformed JSON`
 * is then an error of this member's range.
 */
function total(column: Sql, path: Sql, added: Sql): Sql {
  const stored = sql`coalesce(json_extract(${column}, ${path}), 0)`
  const sum = sql`${stored} + ${added}`
  const isWhole = (number: Sql): Sql =>
    sql`${number} = cast(${number} as integer) and abs(${number}) <= 9007199254740991`
  const leftRange = sql`(${isWhole(stored)} and ${isWhole(added)}) or abs(${sum}) > 1.7976931348623157e308`
  return sql`case when ${isWhole(sum)} then json_quote(cast(${sum} as integer)) when ${leftRange} then 'out of range' else ${realText(sum)} end`
}

/** A real as JSON with all its digits: `json_quote` writes fifteen before SQLite 3.53. */
function realText(real: Sql): Sql {
  return sql`format('%!.17g', ${real})`
}
