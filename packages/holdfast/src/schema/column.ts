import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Comparison, FieldFilter } from './filter.ts'

/** The kinds of value a column can hold; `docs/schema.md` says how each is stored on every backend. */
export type ColumnType =
  | 'text'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'decimal'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | 'uuid'
  | 'json'
  | 'bytes'
  | 'enum'

/** What can happen to a row when the row it refers to is deleted or its key changes. */
export const REFERENCE_ACTIONS = ['restrict', 'cascade', 'setNull'] as const

/**
 * What happens to a row when the row it refers to is deleted or its key changes.
 *
 * @example
 * ```ts
 * t.integer().nullable().references('users', { onDelete: 'setNull', onUpdate: 'cascade' })
 * ```
 */
export type ReferenceAction = (typeof REFERENCE_ACTIONS)[number]

/** A foreign key to the primary key of another model. */
export interface Reference {
  readonly model: string
  readonly onDelete: ReferenceAction
  readonly onUpdate: ReferenceAction
}

/** Where a value comes from when an insert leaves it out. */
export type Default =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'function'; readonly make: () => unknown }
  | { readonly kind: 'now' }
  | { readonly kind: 'id' }

/** Everything a column says of itself. */
export interface ColumnDefinition {
  readonly type: ColumnType
  readonly nullable: boolean
  readonly primaryKey: boolean
  /** The database counts up: integers only. */
  readonly generated: boolean
  readonly unique: boolean
  readonly default?: Default
  readonly check?: unknown
  readonly references?: Reference
  /** The values of an enum. */
  readonly values?: readonly string[]
  /** Digits in all, and after the point, of a decimal. */
  readonly precision?: number
  readonly scale?: number
  /** Validates the content of a JSON column. */
  readonly schema?: StandardSchemaV1
}

/**
 * A column and its modifiers. Every modifier gives a new column; none changes the one it is called on.
 *
 * `Value` is what a row holds, `Optional` whether an insert may leave it out, `Key` whether it is the primary key.
 */
export class Column<Value, Optional extends boolean = false, Key extends boolean = false> {
  /** For inference only; never there at run time. */
  declare readonly $value: Value
  /** For inference only; never there at run time. */
  declare readonly $optional: Optional
  /** For inference only; never there at run time. */
  declare readonly $key: Key
  readonly definition: ColumnDefinition

  constructor(definition: ColumnDefinition) {
    this.definition = definition
  }

  /**
   * Makes this column the primary key. For a key of several columns use the table option `primaryKey`.
   *
   * @example
   * ```ts
   * table({ email: t.text().primaryKey(), name: t.text() })
   * ```
   */
  primaryKey(): Column<Value, Optional, true> {
    return new Column({ ...this.definition, primaryKey: true })
  }

  /**
   * Makes values by itself where none is given: 1, 2, 3, … for an `integer` primary key, a version 7 UUID for a `uuid`.
   *
   * @example
   * ```ts
   * table({ id: t.integer().primaryKey().generated(), key: t.uuid().generated() })
   * ```
   */
  generated(): Column<Value, true, Key> {
    if (this.definition.type === 'uuid') return new Column({ ...this.definition, default: { kind: 'id' } })
    return new Column({ ...this.definition, generated: true })
  }

  /** Allows null, which is also what an insert that leaves the column out stores. */
  nullable(): Column<Value | null, true, Key> {
    return new Column({ ...this.definition, nullable: true })
  }

  /** Refuses a second row with the same value; nulls do not collide. */
  unique(): Column<Value, Optional, Key> {
    return new Column({ ...this.definition, unique: true })
  }

  /**
   * What an insert that leaves the column out stores: a value, or what a function gives for each row.
   *
   * @example
   * ```ts
   * table({ id: t.id(), role: t.enum(['admin', 'user']).default('user'), tags: t.json<string[]>().default(() => []) })
   * ```
   */
  default(value: Value | (() => Value)): Column<Value, true, Key> {
    const made: Default =
      typeof value === 'function'
        ? { kind: 'function', make: value as () => unknown }
        : { kind: 'value', value: value as unknown }
    return new Column({ ...this.definition, default: made })
  }

  /** Stores the time of the insert when the column is left out. For `timestamp` columns. */
  defaultNow(): Column<Value, true, Key> {
    return new Column({ ...this.definition, default: { kind: 'now' } })
  }

  /**
   * A condition every stored value must meet; null passes. `t.integer().check({ gte: 0 })`, or with the column's own name, as conditions of
   * tables have it: `cost: t.real().check({ cost: { gte: 0 } })`.
   *
   * @example
   * ```ts
   * table({ id: t.id(), price: t.real().check({ gte: 0 }) })
   * ```
   */
  check(filter: FieldFilter<Value> | { readonly [column: string]: Comparison<Value> }): Column<Value, Optional, Key> {
    return new Column({ ...this.definition, check: filter })
  }

  /**
   * Refers to the primary key of another model of the schema. Both actions are `restrict` unless given.
   *
   * @example
   * ```ts
   * table({ id: t.id(), userId: t.integer().references('users', { onDelete: 'cascade' }) })
   * ```
   */
  references(
    model: string,
    actions: { readonly onDelete?: ReferenceAction; readonly onUpdate?: ReferenceAction } = {},
  ): Column<Value, Optional, Key> {
    // Whatever else was given is told of when the schema is checked.
    const given = typeof actions === 'object' && actions !== null ? actions : { actions }
    const { onDelete = 'restrict', onUpdate = 'restrict', ...others } = given as typeof actions
    const references = { ...others, model, onDelete, onUpdate }
    return new Column({ ...this.definition, references })
  }
}

/** A column whose check is written without the name of the column, which so can be changed. */
// biome-ignore lint/suspicious/noExplicitAny: a column of any value.
export function withPlainCheck(name: string, column: Column<any, boolean, boolean>): Column<any, boolean, boolean> {
  const check = (column instanceof Column ? column.definition.check : undefined) as Record<string, unknown> | undefined
  const [own, ...others] = Object.keys(check ?? {})
  const inner = own === name && others.length === 0 ? check?.[own] : undefined
  return Object.prototype.toString.call(inner) === '[object Object]'
    ? new Column({ ...column.definition, check: inner })
    : column
}

function column<Value>(type: ColumnType, rest: Partial<ColumnDefinition> = {}): Column<Value> {
  return new Column({ type, nullable: false, primaryKey: false, generated: false, unique: false, ...rest })
}

/** The column types. */
export interface ColumnTypes {
  /** The primary key as text: a UUIDv7, made by Holdfast unless given. */
  id(): Column<string, true, true>
  /** Text of any length, compared by code point. */
  text(): Column<string>
  /** A whole number within ±(2^53 − 1). */
  integer(): Column<number>
  /** A 64-bit whole number, as a JavaScript bigint. */
  bigint(): Column<bigint>
  /** A double; NaN and the infinities are refused. */
  real(): Column<number>
  /** An exact number as text, such as `'19.90'`: at most 18 digits, `scale` of them after the point. */
  decimal(precision: number, scale: number): Column<string>
  /** True or false. */
  boolean(): Column<boolean>
  /** A moment with milliseconds, UTC, of the years 1 to 9999. */
  timestamp(): Column<Date>
  /** A calendar day as text, `'2026-03-31'`. */
  date(): Column<string>
  /** A UUID as text, kept in lower case. */
  uuid(): Column<string>
  /** Any JSON value, checked by a Standard Schema where one is given. */
  json<Value>(schema?: StandardSchemaV1<unknown, Value>): Column<Value>
  /** Bytes of any length, compared one by one; a `Buffer` is taken too. */
  bytes(): Column<Uint8Array>
  /** One of these texts. */
  enum<const Values extends readonly [string, ...string[]]>(values: Values): Column<Values[number]>
}

/**
 * The column types: `t.text()`, `t.integer()`, and so on.
 *
 * @example
 * ```ts
 * table({ id: t.id(), name: t.text().unique(), age: t.integer().nullable(), joined: t.timestamp().defaultNow() })
 * ```
 */
export const t: ColumnTypes = {
  id: () => new Column({ ...column('text').definition, primaryKey: true, default: { kind: 'id' } }),
  text: () => column('text'),
  integer: () => column('integer'),
  bigint: () => column('bigint'),
  real: () => column('real'),
  decimal: (precision, scale) => column('decimal', { precision, scale }),
  boolean: () => column('boolean'),
  timestamp: () => column('timestamp'),
  date: () => column('date'),
  uuid: () => column('uuid'),
  json: (schema) => column('json', schema === undefined ? {} : { schema }),
  bytes: () => column('bytes'),
  enum: (values) => column('enum', { values }),
}
