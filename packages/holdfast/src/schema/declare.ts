import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CachedReads } from './cached-reads.ts'
import { type Column, withPlainCheck } from './column.ts'
import type { GraphDeclaration } from './declare-graph.ts'
import type { Where } from './filter.ts'
import type { QueueDeclaration } from './queue.ts'

/** The columns of a table by their names in TypeScript. */
// biome-ignore lint/suspicious/noExplicitAny: a column of any value; unknown would refuse modifiers that take it.
export type Columns = Record<string, Column<any, boolean, boolean>>

type RowOf<C extends Columns> = { -readonly [Name in keyof C]: C[Name]['$value'] }
type OptionalOf<C extends Columns> = { [Name in keyof C]: C[Name]['$optional'] extends true ? Name : never }[keyof C]
type InsertOf<C extends Columns> = { [Name in Exclude<keyof C, OptionalOf<C>>]: C[Name]['$value'] } & {
  [Name in OptionalOf<C>]?: C[Name]['$value'] | undefined
}
type SingleKeyOf<C extends Columns> = {
  [Name in keyof C]: C[Name]['$key'] extends true ? C[Name]['$value'] : never
}[keyof C]
type KeyOf<C extends Columns, Options> = Options extends {
  readonly primaryKey: readonly (infer Name extends keyof C)[]
}
  ? { [Field in Name]: C[Field]['$value'] }
  : SingleKeyOf<C>
type VersionOf<Options> = Options extends { readonly versioned: true } ? { version: number } : unknown

/** What a model is to the type checker: the row it gives, what an insert takes, and its key. */
export interface ModelTypes<Row = unknown, Insert = unknown, Key = unknown> {
  /** For inference only; never there at run time. */
  readonly $row?: Row
  /** For inference only; never there at run time. */
  readonly $insert?: Insert
  /** For inference only; never there at run time. */
  readonly $key?: Key
}

/**
 * The options of a table.
 *
 * @example
 * ```ts
 * table({ id: t.id(), userId: t.text(), at: t.timestamp() }, { indexes: [['userId', 'at']], versioned: true, history: true })
 * ```
 */
export interface TableOptions<Row = never, Name extends string = string> {
  /** The primary key, where it has several columns: `['playlistId', 'trackId']`. */
  readonly primaryKey?: readonly Name[]
  /** Indexes: a field, a path into JSON, or a list of fields. */
  readonly indexes?: readonly (Name | `${string}.${string}` | readonly (Name | `${string}.${string}`)[])[]
  /** Fields that are unique together. */
  readonly unique?: readonly (Name | readonly Name[])[]
  /**
   * Nullable columns: rows without a value in one of them are left out of the indexes that hold it, which so stay small. A query uses such
   * an index when it asks for a value.
   */
  readonly sparse?: readonly Name[]
  /** Whether rows come and go all the time, as jobs do: a database that keeps the space of deleted rows is then told often to use it again. */
  readonly shortLived?: boolean
  /** Conditions every row must meet. */
  readonly checks?: readonly Where<Row>[]
  /** Adds `version`, a number that counts writes, for `update(id, patch, { ifVersion })`. */
  readonly versioned?: boolean
  /** Keeps every version of every record: for ever, or for so many milliseconds after it was replaced. */
  readonly history?: HistoryOption
  /** Lets the changes of its records be watched; they are kept for a day, or as long as `history` says. */
  readonly watch?: boolean
  /** Reads may be answered with what was read up to `ttlMs` ago, while this process writes nothing of it. */
  readonly cache?: CachedReads
}

/**
 * Whether every version of a record is kept, and how long after it was replaced.
 *
 * @example
 * ```ts
 * documents<Plan>({ history: { keepMs: 90 * 86_400_000 } })
 * ```
 */
export type HistoryOption = boolean | { readonly keepMs?: number }

/** A declared table. */
export interface Table<Row = unknown, Insert = unknown, Key = unknown> extends ModelTypes<Row, Insert, Key> {
  readonly kind: 'table'
  readonly columns: Columns
  readonly options: TableOptions
}

/**
 * Declares a table by its columns.
 *
 * @example
 * ```ts
 * const sessions = table(
 *   { id: t.id(), userId: t.integer().references('users', { onDelete: 'cascade' }), lastUsed: t.timestamp().defaultNow() },
 *   { indexes: [['userId', 'lastUsed']] },
 * )
 * ```
 */
export function table<
  C extends Columns,
  const Options extends TableOptions<RowOf<C>, keyof C & string> = Record<never, never>,
>(columns: C, options?: Options): Table<RowOf<C> & VersionOf<Options>, InsertOf<C>, KeyOf<C, Options>> {
  // What are no columns is told of when the schema is checked.
  const named = Object.entries(columns ?? {}).map(([name, column]) => [name, withPlainCheck(name, column)] as const)
  const plain = typeof columns === 'object' && columns !== null ? (Object.fromEntries(named) as C) : columns
  return { kind: 'table', columns: plain, options: (options === undefined ? {} : options) as TableOptions }
}

/**
 * The options of a documents collection.
 *
 * @example
 * ```ts
 * documents({ schema: Plan, indexes: ['status', 'owner.team'], unique: ['name'] })
 * ```
 */
export interface DocumentsOptions {
  /** Indexes: a top-level field, a path such as `'owner.team'`, or a list of them. */
  readonly indexes?: readonly (string | readonly string[])[]
  /** Fields or paths that are unique (together). Documents that lack one of them do not collide. */
  readonly unique?: readonly (string | readonly string[])[]
  /** Keeps every version of every document: for ever, or for so many milliseconds after it was replaced. */
  readonly history?: HistoryOption
  /** Lets the changes of its documents be watched; they are kept for a day, or as long as `history` says. */
  readonly watch?: boolean
  /** Reads may be answered with what was read up to `ttlMs` ago, while this process writes nothing of it. */
  readonly cache?: CachedReads
}

/** What every document carries besides its own fields. */
export interface DocumentFields {
  id: string
  /** Counts the writes: 1 after create. */
  version: number
  createdAt: Date
  updatedAt: Date
}

/** A declared documents collection. */
export interface Documents<Content extends object = object, Input = Content>
  extends ModelTypes<Content & DocumentFields, Input & { id?: string | undefined }, string> {
  readonly kind: 'documents'
  readonly schema?: StandardSchemaV1<unknown, Content>
  readonly options: DocumentsOptions
}

/**
 * Declares a collection of JSON documents, each `{ id, ...yours, version, createdAt, updatedAt }`.
 *
 * @example
 * ```ts
 * const plans = documents({ schema: z.object({ status: z.string() }), indexes: ['status', 'owner.team'] })
 * const notes = documents<{ text: string }>()
 * ```
 */
export function documents<Schema extends StandardSchemaV1<unknown, object>>(
  options: DocumentsOptions & { readonly schema: Schema },
): Documents<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>
export function documents<Content extends object>(
  options?: DocumentsOptions & { readonly schema?: StandardSchemaV1<unknown, Content> },
): Documents<Content>
export function documents(options: DocumentsOptions & { readonly schema?: StandardSchemaV1 } = {}): Documents {
  // What holds no options is told of when the schema is checked.
  if (typeof options !== 'object' || options === null) return { kind: 'documents', options }
  const { schema, ...rest } = options
  const declared = { kind: 'documents' as const, options: rest }
  return schema === undefined ? declared : { ...declared, schema: schema as StandardSchemaV1<unknown, object> }
}

/** What a schema is made of, by the names used in code. */
export type Declarations = Record<string, Table | Documents | QueueDeclaration | GraphDeclaration>

/** A relation to one record: the fields here hold the key of the record there. */
export interface One<Target extends string = string> {
  readonly kind: 'one'
  readonly model: Target
  readonly fields: readonly string[]
}

/** A relation to many records: the fields there hold the key of the record here. */
export interface Many<Target extends string = string> {
  readonly kind: 'many'
  readonly model: Target
  readonly fields: readonly string[]
}

/** The relations of a schema: by model, then by the name used in `include`. */
export type Relations = { readonly [Model in string]?: { readonly [Name in string]: One | Many } }
