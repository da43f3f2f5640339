import type {
  AliasedRawBuilder,
  CreateTableBuilder,
  InsertQueryBuilder,
  Kysely,
  RawBuilder,
  SelectQueryBuilder,
} from 'kysely'
import type { ColumnType } from '../../schema/index.ts'
import type { DateUnit, Direction, JsonScalar } from '../../statement/index.ts'

/** A piece of SQL together with the places of its parameters. What it gives is known at run time only. */
// biome-ignore lint/suspicious/noExplicitAny: unknown would need a cast wherever Kysely wants a boolean or a number.
export type Sql = RawBuilder<any>

/** A piece of SQL with a name, to be selected. */
export type AliasedSql = AliasedRawBuilder<unknown, string>

/** Kysely's query builder, used to compile only: it has no connection. Names are known at run time, so rows have no types. */
// biome-ignore lint/suspicious/noExplicitAny: Kysely's own way to say that the tables are not known to the type checker.
export type Builder = Kysely<any>
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type SelectQuery = SelectQueryBuilder<any, any, any>
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type InsertQuery = InsertQueryBuilder<any, any, any>
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type NewTable = CreateTableBuilder<any, any>

/** What a value is: a column's type and what belongs to it, wherever the value stands. */
export interface ValueType {
  readonly type: ColumnType
  readonly precision?: number
  readonly scale?: number
  readonly values?: readonly string[]
}

/** How the values of one type are stored. Both functions pass null on. */
export interface Codec {
  /** What the database calls the type. */
  readonly type: string
  /** From what the port gives to what is bound; absent where that is the same. */
  readonly encode?: Encode
  /** From what the driver reads to what the port gives; absent where that is the same. */
  readonly decode?: Decode
  /** What a select writes to read the value whole; absent where that is the value itself. */
  readonly read?: (value: Sql) => Sql
}

/** From what the port gives to what is bound. */
export type Encode = (value: unknown) => unknown

/** Turns a value as the driver reads it into the value that the port gives. */
export type Decode = (stored: unknown) => unknown

/** Puts the values of parameters into SQL: statements bind them, DDL writes them out. */
export interface Values {
  place(parameter: number, type: string, encode?: Encode): Sql
  /** Whether a value is an element of the list in a parameter. */
  isIn(value: Sql, codec: Codec, parameter: number): Sql
}

/** How lists and objects and scalars at a JSON path rank; missing and null have no rank and are null. */
export const JSON_RANK: Record<JsonScalar | 'other', number> = { boolean: 1, number: 2, text: 3, other: 4 }

/** The types of columns whose values JSON has as scalars. */
export const SCALAR_TYPES: { readonly [Type in ColumnType]?: JsonScalar } = {
  text: 'text',
  enum: 'text',
  date: 'text',
  uuid: 'text',
  integer: 'number',
  real: 'number',
  boolean: 'boolean',
}

/** What stands at a path into a JSON column, seen from every side that statements need. */
export interface JsonPath {
  /** One of `JSON_RANK`, or null. */
  readonly rank: Sql
  /** The JSON there; null where it is missing or null. */
  readonly whole: Sql
  /** What rows are grouped by and distinct values are counted by: equal exactly where the values are. */
  readonly identity: Sql
  /** The least or greatest value there of a group, as JSON: by rank first. */
  extreme(operation: 'min' | 'max'): Sql
  /** The sum or the mean of the numbers there of a group, as a double. */
  total(operation: 'sum' | 'avg'): Sql
  /** What it is ordered by, all in the same direction; each may be null. These are also the columns of an index on the path. */
  readonly keys: readonly Sql[]
  /** The columns of a unique index on the path: null unless a scalar stands there. */
  readonly uniqueKeys: readonly Sql[]
  /** The condition that a value of this type stands there. */
  is(json: JsonScalar): Sql
  /** The value as one that compares with parameters of `Dialect.scalar`; only meaningful where `is` holds. */
  scalar(json: JsonScalar): Sql
  /** The condition that the parameter, a value of this type, stands there. */
  equals(json: JsonScalar, parameter: number, values: Values): Sql
  /** The condition that a list stands there that holds the parameter. */
  has(json: JsonScalar, parameter: number, values: Values): Sql
}

/** A sum as it is selected, and how it is decoded to the type of what is summed. */
export interface WideSum {
  readonly read: Sql
  readonly decode: Decode
}

/** A change of a top-level member of a JSON column. */
export interface MemberChange {
  readonly name: string
  readonly operation: 'set' | 'increment'
  /** JSON for `set`, a number for `increment`. */
  readonly value: Sql
}

/** Everything in which one database's SQL differs from another's, as far as statements and tables of Holdfast go. */
export interface Dialect {
  readonly builder: Builder
  /** How a type is stored. */
  codec(type: ValueType): Codec
  /** How a scalar at a JSON path is compared: its parameters, and what `JsonPath.scalar` gives. */
  scalar(json: JsonScalar): Codec
  /** A column's value as a scalar that equals one at a JSON path; null for types that JSON has no scalar for. */
  asScalar(value: Sql, type: ValueType): { readonly json: JsonScalar; readonly value: Sql } | null
  /** A parameter of this database type. */
  placeholder(value: unknown, type: string): Sql
  /** A parameter in a statement that looks for rows. */
  operand(placeholder: Sql): Sql
  /** A constant of this database type, for DDL. */
  literal(value: unknown, type: string): Sql
  /** Whether a value is an element of the list in a parameter. */
  isIn(value: Sql, codec: Codec, parameter: number, values: Values): Sql
  /** Whether a value is one of some constants, for DDL. */
  isAmong(value: Sql, constants: readonly Sql[]): Sql
  /** Whether a text, or part of it, is the parameter: literally and case-sensitively. */
  matches(operator: 'contains' | 'startsWith' | 'endsWith', text: Sql, parameter: number, values: Values): Sql
  /** The database's time plus a number of milliseconds, as a timestamp column holds it. */
  now(plusMs: Sql): Sql
  /** What stands at a path into a JSON column. */
  path(column: Sql, steps: readonly string[]): JsonPath
  /** A JSON column with these members changed; null, and JSON that is not an object, stay as they are. */
  withMembers(column: Sql, changes: readonly MemberChange[]): Sql
  /** The sum of a column's value and what is added to it. Where it leaves the range of the type, this fails, or a check of the table does. */
  incremented(stored: Sql, added: Sql, type: ValueType): Sql
  /** What an insert that gives generated keys returns so that keys counted later are greater; nothing where the database sees to it. */
  countOn(table: string, column: string): Sql[]
  /** A timestamp cut down to the start of its unit, in UTC. */
  startOf(unit: DateUnit, timestamp: Sql): Sql
  /** The least or greatest value of a type. */
  extreme(operation: 'min' | 'max', value: Sql, type: ValueType): Sql
  /** How the sum of a `bigint` or `decimal` is read exactly, also where it leaves 64 bits on the way. */
  wideSum(value: Sql, type: ValueType): WideSum
  /** The mean, as a double. */
  average(value: Sql, type: ValueType): Sql
  /** A step of an ordering with null first ascending and last descending. */
  ordered(value: Sql, direction: Direction, nullable: boolean): Sql
  /** The limit that does not limit, where an offset needs one. */
  readonly everyRow: Sql
  /** The condition that a row is among those whose keys a query (in parentheses) gives; the query runs exactly once. */
  chosenBy(key: readonly Sql[], query: Sql): Sql
  /** Whether rows can be locked; elsewhere one writer runs at a time. */
  readonly locksRows: boolean
  /** What only DDL needs. */
  readonly ddl: DialectDdl
}

/** In which the DDL of one database differs from another's. */
export interface DialectDdl {
  /** A column's type as `create table` has it. */
  columnType(type: ValueType): Sql
  /** The type and the constraint of a generated key. */
  generated(constraint: string): Sql
  /** The default of a timestamp column that defaults to now. */
  readonly now: Sql
  /** What follows the parenthesis of `create table`. */
  readonly tableOptions?: Sql
  /** Whether foreign keys are part of `create table`; otherwise they are added once all tables are there. */
  readonly foreignKeysInTable: boolean
  /** The range that a column's values must keep to, where its database type allows more. */
  range(column: Sql, type: ValueType): Sql | null
  /**
   * Whether tables have checks of these ranges. Without, whatever is written keeps to them by itself, and only what becomes of columns of other
   * types is checked.
   */
  readonly checksRanges: boolean
  /** Whether indexes are made in reverse, so that the first of those that a row breaks is the one that is named. */
  readonly indexesLastFirst: boolean
  /** A column of an index. */
  indexed(column: Sql, nullable: boolean): Sql
  /** The statements that make the further indexes a table needs that has an index on paths into these columns. */
  pathIndexes(table: string, columns: readonly string[]): string[]
  /** What those are called. */
  pathIndexNames(table: string, columns: readonly string[]): string[]
  /** How the tables that exist are found out. */
  readonly inspection: Inspection
}

/** How the tables that exist are found out. Both texts take no parameters and give rows of these columns, in this order. */
export interface Inspection {
  /** Table, column, type, 1 where null is allowed, and the place in the primary key: from 1 on, or 0. */
  readonly columns: string
  /** Table, index, 1 where it is unique. Without primary keys. */
  readonly indexes: string
}
