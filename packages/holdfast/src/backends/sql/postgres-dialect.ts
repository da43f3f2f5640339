import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely'
import { StorageError } from '../../base/errors.ts'
import { nullable } from '../../base/nullable.ts'
import { constraintName } from '../../schema/names.ts'
import { type Codec, type Dialect, SCALAR_TYPES, type Sql, type ValueType } from './dialect.ts'
import { POSTGRES_SCALARS, postgresMembers, postgresPath } from './postgres-json.ts'

/** The greatest integer that numbers hold exactly. */
const GREATEST: Sql = sql.lit(Number.MAX_SAFE_INTEGER)

const NOW: Sql = sql`date_trunc('milliseconds', statement_timestamp())`

const builder = new Kysely<Record<string, Record<string, unknown>>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/**
 * Postgres 14 or later. Types are called what `format_type` calls them. Values are decoded from the text that the server sends, so a connection must hand it over as it
 * is, and have the settings `TimeZone=UTC`, `DateStyle=ISO`, `bytea_output=hex` and `extra_float_digits=1`.
 */
export const postgresDialect: Dialect = {
  builder,
  codec: codecOf,
  scalar: (json) => POSTGRES_SCALARS[json],
  asScalar: (value, { type }) => {
    const json = SCALAR_TYPES[type]
    if (json === undefined) return null
    if (type === 'uuid' || type === 'date') return { json, value: sql`${value}::text` }
    return { json, value: type === 'boolean' ? sql`${value}::integer` : value }
  },
  countOn: (table, column) => {
    const quoted = `"${table.replaceAll('"', '""')}"`
    const sequence = sql`pg_get_serial_sequence(${sql.lit(quoted)}, ${sql.lit(column)})::regclass`
    const key = sql.id(table, column)
    return [
      sql`case when ${key} > coalesce(pg_sequence_last_value(${sequence}), 0) then setval(${sequence}, ${key}) end`,
    ]
  },
  // Every parameter says its type: Postgres' guesses would differ from place to place.
  placeholder: (value, type) => sql`${sql.val(value)}::${sql.raw(type)}`,
  operand: (placeholder) => placeholder,
  literal: (value, type) => {
    const written = value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value
    return sql`${sql.lit(written === null || typeof written === 'boolean' ? written : String(written))}::${sql.raw(type)}`
  },
  isAmong: (value, constants) => sql`${value} in (${sql.join(constants)})`,
  isIn: (value, codec, parameter, values) => {
    const { encode } = codec
    const list = values.place(
      parameter,
      `${codec.type}[]`,
      encode === undefined ? undefined : (list) => (list as readonly unknown[]).map(encode),
    )
    return sql`${value} = any(${list})`
  },
  matches: (operator, text, parameter, values) => {
    const part = values.place(parameter, 'text')
    if (operator === 'contains') return sql`strpos(${text}, ${part}) > 0`
    if (operator === 'endsWith') return sql`right(${text}, length(${part})) = ${values.place(parameter, 'text')}`
    return sql`${text} ^@ ${part}`
  },
  // Constant within a statement, so that an index can be used; `now()` would stand still for a whole transaction.
  now: (plusMs) => sql`(${NOW} + ${plusMs} * interval '1 millisecond')`,
  path: postgresPath,
  withMembers: postgresMembers,
  // What is no safe integer is made to overflow, with `int8mul`, by which the error is told from others.
  incremented: (stored, added, { type }) => {
    const sum = sql`${stored} + ${added}`
    return type === 'integer'
      ? sql`case when abs(${sum}) <= ${GREATEST} then ${sum} else (${sum}) * 4096::bigint end`
      : sum
  },
  startOf: (unit, timestamp) => sql`date_trunc(${sql.lit(unit)}, ${timestamp}, 'UTC')`,
  extreme,
  // A sum of integers may be more than a number holds exactly.
  wideSum: (value, type) => {
    const { decode = (sum) => sum } = type.type === 'integer' ? CODECS.real : codecOf(type)
    return { read: sql`sum(${value})`, decode }
  },
  // `avg` of doubles also adds up their squares, which overflow long before their sum.
  average: (value, { type }) =>
    type === 'real' ? sql`sum(${value}) / count(${value})` : sql`avg(${value})::double precision`,
  ordered: (value, direction, nullable) => {
    const nulls = !nullable ? sql`` : direction === 'asc' ? sql` nulls first` : sql` nulls last`
    return sql`${value} ${sql.raw(direction)}${nulls}`
  },
  everyRow: sql`all`,
  // A subquery with `limit` and `skip locked` may be run again for each row it is joined with, and then chooses more rows than
  // it should: an array is made once.
  chosenBy: (key, query) =>
    key.length === 1
      ? sql`${key[0]} = any(array${query})`
      : sql`(${sql.join(key)}) in (with chosen as materialized ${query} select * from chosen)`,
  locksRows: true,
  ddl: {
    now: NOW,
    columnType: (type) => {
      const { type: name } = codecOf(type)
      return name === 'text' ? sql`text collate "C"` : sql.raw(name)
    },
    generated: (constraint) =>
      sql`bigint generated by default as identity (maxvalue ${GREATEST}) constraint ${sql.id(constraint)} primary key`,
    foreignKeysInTable: false,
    range: (column, { type }) => (type === 'integer' ? sql`${column} between -${GREATEST} and ${GREATEST}` : null),
    // Postgres reads a check anew for every statement: with two of them an insert or an update took it some 40 us longer, half as long again.
    checksRanges: false,
    indexed: (column, nullable) => (nullable ? sql`${column} nulls first` : column),
    indexesLastFirst: false,
    // Equality at a path is containment, which any number of paths share one index for.
    pathIndexes: (table, columns) =>
      columns.map((column) => {
        const index = builder.schema.createIndex(pathIndexName(table, column)).ifNotExists().on(table)
        return index
          .using('gin')
          .expression(sql`${sql.id(column)} jsonb_path_ops`)
          .compile().sql
      }),
    pathIndexNames: (table, columns) => columns.map((column) => pathIndexName(table, column)),
    inspection: {
      columns: `select t.relname, a.attname, format_type(a.atttypid, a.atttypmod), (not a.attnotnull)::integer,
          coalesce(array_position(k.conkey, a.attnum), 0)
        from pg_class as t join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        left join pg_constraint as k on k.conrelid = t.oid and k.contype = 'p'
        where t.relkind in ('r', 'p') and t.relnamespace = current_schema()::regnamespace order by t.relname, a.attnum`,
      indexes: `select t.relname, i.relname, x.indisunique::integer
        from pg_class as t join pg_index as x on x.indrelid = t.oid join pg_class as i on i.oid = x.indexrelid
        where t.relkind in ('r', 'p') and t.relnamespace = current_schema()::regnamespace and not x.indisprimary
        order by t.relname, i.relname`,
    },
  },
}

function pathIndexName(table: string, column: string): string {
  return constraintName(table, [column], 'gin')
}

const CODECS: Record<Exclude<ValueType['type'], 'decimal'>, Codec> = {
  text: { type: 'text' },
  integer: { type: 'bigint', decode: nullable(readInteger) },
  bigint: { type: 'bigint', encode: nullable(String), decode: nullable(BigInt) },
  real: { type: 'double precision', decode: nullable(Number) },
  boolean: { type: 'boolean', decode: nullable((stored: string) => stored === 't') },
  timestamp: {
    type: 'timestamp(3) with time zone',
    encode: nullable((value: Date) => value.toISOString()),
    decode: nullable(readTimestamp),
  },
  date: { type: 'date' },
  uuid: { type: 'uuid' },
  json: { type: 'jsonb', encode: nullable(JSON.stringify), decode: nullable(JSON.parse) },
  bytes: {
    type: 'bytea',
    encode: nullable((value: Uint8Array) => Buffer.from(value.buffer, value.byteOffset, value.byteLength)),
    decode: nullable((stored: string) => new Uint8Array(Buffer.from(stored.slice(2), 'hex'))),
  },
  enum: { type: 'text' },
}

function codecOf({ type, precision = 18, scale = 0 }: ValueType): Codec {
  return type === 'decimal' ? { type: `numeric(${precision},${scale})` } : CODECS[type]
}

/** @throws StorageError for one that somebody else wrote and that a number would not hold exactly. */
function readInteger(stored: string): number {
  const integer = Number(stored)
  if (Number.isSafeInteger(integer)) return integer
  throw new StorageError(
    'DRIVER',
    `The database holds the integer ${stored}, which is more than a number holds exactly.`,
    {
      hint: 'Declare its column as t.bigint().',
    },
  )
}

/** `2026-03-31 12:00:00.5+00`, always UTC and with four digits of the year. Digit by digit takes a third of what reading a text does. */
function readTimestamp(stored: string): Date {
  const end = stored.indexOf('+', 19)
  const year = twoDigits(stored, 0) * 100 + twoDigits(stored, 2)
  // `Date.UTC` takes the years before 100 for others.
  if (year < 100 || end < 0) return new Date(`${stored.slice(0, 10)}T${stored.slice(11, Math.max(end, 19))}Z`)
  let ms = 0
  for (let at = 20, unit = 100; at < end && unit >= 1; at++, unit /= 10) ms += digit(stored, at) * unit
  const [month, day] = [twoDigits(stored, 5), twoDigits(stored, 8)]
  const [hours, minutes, seconds] = [twoDigits(stored, 11), twoDigits(stored, 14), twoDigits(stored, 17)]
  return new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds, ms))
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 48
}

/** `min` and `max` do not take booleans, nor UUIDs and bytes on all versions: their order is that of these texts. */
function extreme(operation: 'min' | 'max', value: Sql, { type }: ValueType): Sql {
  const name = sql.raw(operation)
  if (type === 'boolean') return operation === 'min' ? sql`bool_and(${value})` : sql`bool_or(${value})`
  if (type === 'uuid') return sql`${name}(${value}::text collate "C")::uuid`
  if (type === 'bytes') return sql`decode(${name}(encode(${value}, 'hex') collate "C"), 'hex')`
  return sql`${name}(${value})`
}
