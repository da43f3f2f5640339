import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { nullable } from '../../base/nullable.ts'
import type { DateUnit } from '../../statement/index.ts'
import {
  type Codec,
  type Decode,
  type Dialect,
  type Encode,
  SCALAR_TYPES,
  type Sql,
  type ValueType,
} from './dialect.ts'
import { joined } from './joined.ts'
import { SQLITE_SCALARS, sqliteMembers, sqlitePath } from './sqlite-json.ts'

const DAY_MS = 86_400_000

const NOW: Sql = sql`cast(round(unixepoch('subsec') * 1000) as integer)`

const builder = new Kysely<Record<string, Record<string, unknown>>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/**
 * SQLite 3.46 or later. Timestamps are milliseconds, decimals are scaled integers, booleans 0 and 1, JSON is text: every
 * type compares and sorts as SQLite compares and sorts what it is stored as.
 */
export const sqliteDialect: Dialect = {
  builder,
  codec: codecOf,
  scalar: (json) => SQLITE_SCALARS[json],
  asScalar: (value, { type }) => {
    const json = SCALAR_TYPES[type]
    return json === undefined ? null : { json, value }
  },
  countOn: () => [],
  placeholder: (value) => sql.val(value),
  // A plus changes no value. A bare parameter in a limit, or in an equality that rows are not looked up by, makes SQLite plan by what is bound to
  // it, and so compile the statement anew for each call: some 10 us, and 150 for taking a job.
  operand: (placeholder) => sql`+${placeholder}`,
  literal: (value) =>
    value instanceof Uint8Array ? sql.raw(`x'${Buffer.from(value).toString('hex')}'`) : sql.lit(value),
  // Not `in`: for more than two constants SQLite fills a table with them at each statement, which for a row that is inserted takes as long as
  // its indexes.
  isAmong: (value, constants) =>
    joined(
      constants.map((constant) => sql`${value} = ${constant}`),
      'or',
    ),
  isIn: (value, codec, parameter, values) => {
    const list = values.place(parameter, 'TEXT', (list) => listText(list as readonly unknown[], codec))
    const element = codec.type === 'BLOB' ? sql`unhex(value)` : codec.type === 'REAL' ? sql`value + 0.0` : sql`value`
    return sql`${value} in (select ${element} from json_each(${list}))`
  },
  matches: (operator, text, parameter, values) => {
    const place = (encode?: Encode): Sql => values.place(parameter, 'TEXT', encode)
    if (operator === 'contains') return sql`instr(${text}, ${place()}) > 0`
    if (operator === 'endsWith') return sql`substr(${text}, length(${text}) - length(${place()}) + 1) = ${place()}`
    return sql`(${text} >= ${place()} and ${text} < ${place(afterPrefix)})`
  },
  now: (plusMs) => sql`cast(${NOW} + ${plusMs} as integer)`,
  path: sqlitePath,
  withMembers: sqliteMembers,
  incremented: (stored, added) => sql`${stored} + ${added}`,
  startOf,
  extreme: (operation, value) => sql`${sql.raw(operation)}(${value})`,
  // `sum` fails where it leaves 64 bits on the way, so the upper and the lower halves are added up apart.
  wideSum: (value, type) => {
    const { decode = (sum) => sum } = codecOf(type)
    return {
      read: sql`sum(${value} >> 32) || ' ' || sum(${value} & 4294967295)`,
      decode: nullable((halves: string) => {
        const [upper, lower] = halves.split(' ').map(BigInt) as [bigint, bigint]
        return decode(String(upper * 0x1_0000_0000n + lower))
      }),
    }
  },
  average: (value, { type, scale }) =>
    type === 'decimal' ? sql`avg(${value}) / ${sql.raw(`1e${scale ?? 0}`)}` : sql`avg(${value})`,
  ordered: (value, direction) => sql`${value} ${sql.raw(direction)}`,
  everyRow: sql`-1`,
  chosenBy: (key, query) => (key.length === 1 ? sql`${key[0]} in ${query}` : sql`(${sql.join(key)}) in ${query}`),
  locksRows: false,
  ddl: {
    now: sql`(${NOW})`,
    tableOptions: sql`strict`,
    columnType: (type) => sql.raw(codecOf(type).type),
    generated: (constraint) => sql`INTEGER constraint ${sql.id(constraint)} primary key autoincrement`,
    checksRanges: true,
    foreignKeysInTable: true,
    range,
    indexed: (column) => column,
    // SQLite checks the index that was made last first; Postgres, and the caller, expect the first.
    indexesLastFirst: true,
    pathIndexes: () => [],
    pathIndexNames: () => [],
    inspection: {
      columns: `select t.name, c.name, c.type, c."notnull" = 0 and c.pk = 0, c.pk
        from sqlite_schema as t join pragma_table_info(t.name) as c
        where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' order by t.name, c.cid`,
      indexes: `select t.name, i.name, i."unique"
        from sqlite_schema as t join pragma_index_list(t.name) as i
        where t.type = 'table' and i.origin <> 'pk' order by t.name, i.name`,
    },
  },
}

/** 64-bit numbers are read as text: a driver gives a double, or an error, for those past 2^53. */
const asText = (value: Sql): Sql => sql`cast(${value} as text)`

const CODECS: Record<Exclude<ValueType['type'], 'decimal'>, Codec> = {
  text: { type: 'TEXT' },
  integer: { type: 'INTEGER' },
  bigint: { type: 'INTEGER', decode: nullable(BigInt), read: asText },
  real: { type: 'REAL' },
  boolean: {
    type: 'INTEGER',
    encode: nullable((value: boolean) => (value ? 1 : 0)),
    decode: nullable((stored: number) => stored !== 0),
  },
  timestamp: {
    type: 'INTEGER',
    encode: nullable((value: Date) => value.getTime()),
    decode: nullable((stored: number) => new Date(stored)),
  },
  date: { type: 'TEXT' },
  uuid: { type: 'TEXT' },
  json: { type: 'TEXT', encode: nullable(JSON.stringify), decode: nullable(JSON.parse) },
  bytes: {
    type: 'BLOB',
    decode: nullable((stored: Uint8Array) => new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)),
  },
  enum: { type: 'TEXT' },
}

function codecOf({ type, scale = 0 }: ValueType): Codec {
  if (type !== 'decimal') return CODECS[type]
  return {
    type: 'INTEGER',
    encode: nullable((value: string) => BigInt(value.replace('.', ''))),
    decode: nullable((stored: string) => withPoint(stored, scale)) as Decode,
    read: asText,
  }
}

/** `-5` with the scale 2 is `-0.05`. */
function withPoint(scaled: string, scale: number): string {
  if (scale === 0) return scaled
  const sign = scaled.startsWith('-') ? '-' : ''
  const digits = scaled.slice(sign.length).padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** A list as JSON, for `json_each`: bytes in hexadecimal, 64-bit integers in digits. */
function listText(list: readonly unknown[], { encode }: Codec): string {
  const encoded = encode === undefined ? list : list.map(encode)
  const [first] = encoded
  if (typeof first === 'bigint') return `[${encoded.join(',')}]`
  if (first instanceof Uint8Array)
    return JSON.stringify(encoded.map((value) => Buffer.from(value as Uint8Array).toString('hex')))
  return JSON.stringify(encoded)
}

/**
 * The least value after all texts with this prefix: the prefix with its last code point counted up, or a blob, which comes after all
 * texts. So `startsWith` is a range that an index can find.
 */
function afterPrefix(prefix: unknown): unknown {
  const points = [...(prefix as string)]
  while (points.length > 0) {
    const last = (points.pop() as string).codePointAt(0) as number
    if (last < 0x10ffff) return points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1)
  }
  return new Uint8Array(0)
}

const FIXED_UNITS_MS: Partial<Record<DateUnit, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
}

/** Days are counted from a Thursday, so weeks are cut three days off. `%` keeps the sign, hence twice. */
function startOf(unit: DateUnit, timestamp: Sql): Sql {
  const fixed = FIXED_UNITS_MS[unit]
  if (fixed !== undefined) {
    const length = sql.lit(fixed)
    const shifted = unit === 'week' ? sql`(${timestamp} + ${sql.lit(3 * DAY_MS)})` : timestamp
    return sql`(${timestamp} - (${shifted} % ${length} + ${length}) % ${length})`
  }
  const seconds = sql`${startOf('day', timestamp)} / 1000`
  if (unit === 'quarter') {
    const monthsIn = sql`(strftime('%m', ${seconds}, 'unixepoch') - 1) % 3`
    return sql`(unixepoch(${seconds}, 'unixepoch', 'start of month', '-' || (${monthsIn}) || ' months') * 1000)`
  }
  return sql`(unixepoch(${seconds}, 'unixepoch', ${sql.lit(`start of ${unit}`)}) * 1000)`
}

/** SQLite's integers have 64 bits and its reals may overflow to an infinity: tighter types need a check. */
function range(column: Sql, { type, precision = 18 }: ValueType): Sql | null {
  const limit = { integer: '9007199254740991', real: '1.7976931348623157e308', decimal: '9'.repeat(precision) }[
    type as string
  ]
  return limit === undefined ? null : sql`${column} between ${sql.raw(`-${limit}`)} and ${sql.raw(limit)}`
}
