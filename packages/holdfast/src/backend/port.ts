import type { Model, Models } from '../schema/index.ts'
import type { Statement } from '../statement/index.ts'

/**
 * What a backend promises: the whole of it. A backend knows how to prepare and execute statements, run a transaction,
 * edit a schema and pass on a wake-up. It knows nothing of repositories, jobs, caches or graphs, which are written once above.
 *
 * Rules for all of them: every error is one of `base/errors.ts`; a promise that resolves means committed and as durable as the
 * backend was opened to be; rows and parameters hold the values of `schema/accept.ts`; nothing given is changed or kept.
 */
export interface Backend extends Executor {
  /** `memory`, `sqlite`, `postgres`, …: for people and telemetry. Shared code asks `traits` instead. */
  readonly name: string
  readonly traits: Traits
  /** The schema's tables: create, drop, look at. */
  readonly schema: SchemaEditor

  /** Opens files or connections. Called once, before anything else. */
  open(): Promise<void>
  /** Lets what runs finish, then closes. Later calls fail with `ConnectionError`, code `CLOSED`. */
  close(): Promise<void>
  /** Resolves when the database answers. */
  ping(): Promise<void>

  /**
   * Makes a statement ready. Called once for each shape; `backend/plans.ts` keeps what it returns.
   * Does no I/O: a backend that prepares on the server does so at the first execution.
   */
  prepare(statement: Statement): Plan

  /**
   * Runs `work` in one serializable transaction (or the weaker one asked for) and commits when it resolves; rolls back and
   * rejects with its reason when it rejects. Tries once: retries are made above.
   *
   * @throws SerializationError when the database could not order it; UnknownOutcomeError when the reply to the commit was lost.
   */
  transaction<T>(options: AlteringOptions, work: (connection: Connection) => Promise<T>): Promise<T>

  /**
   * Runs independent calls that were made in one tick, together where that is faster. Each gets its own outcome, in order,
   * as if it had been executed alone. Only called with plans whose `gathers` is true.
   */
  executeTogether(calls: readonly Call[]): Promise<Settled[]>

  /** Makes a copy of the database for a while; the database itself is only read. Called instead of `open`. Absent where nothing lasts. */
  copy?(): Promise<DatabaseCopy>

  /**
   * Tells processes on the same database that something happened on a topic. A hint that shortens a poll, never the truth.
   * Absent where the backend has no such thing.
   */
  notify?(topic: string): Promise<void>
  /** Calls `onWake` after each `notify(topic)`, here or in another process, and after a reconnection. */
  wake?(topic: string, onWake: () => void): Promise<Unsubscribe>
}

/**
 * Makes a backend for the models of a storage. `models` is live: it grows when an undeclared collection is first used.
 * What a door such as `holdfast/sqlite` gives: `sqlite({ path: './app.db' })` is a factory.
 */
export type BackendFactory = (context: { readonly models: Models }) => Backend

/** A copy of a database. */
export interface DatabaseCopy {
  readonly backend: BackendFactory
  /** Whether it holds what the database holds; else it is empty. */
  readonly filled: boolean
  /** Takes it away, when nobody has it open any more. */
  remove(): Promise<void>
}

/** Something that executes plans: a backend (each call on its own, committed when it resolves) or a transaction. */
export interface Executor {
  /** Executes once. A write takes effect whole or not at all; in a transaction, see there. */
  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result>
  /**
   * Reads a select's rows in batches of at most about 1,000, with constant memory, from one snapshot.
   * Leaving the loop early frees what it holds.
   */
  stream(plan: Plan, parameters: readonly unknown[]): AsyncIterable<readonly Row[]>
  /** Runs SQL as it stands, for `storage.sql`: values are given and come back as the driver has them. SQL backends only. */
  sql?(text: string, parameters: readonly unknown[]): Promise<Result>
}

/**
 * A running transaction. Only good inside the `work` that was given it. A write that fails may leave some of its effects behind: whoever calls
 * undoes the transaction then, or the savepoint.
 */
export interface Connection extends Executor {
  /** Runs `work`; when it rejects, undoes what it did and rejects with its reason, and the transaction can go on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /** What `SchemaEditor.apply` needs to edit inside this transaction. Absent where `altersInTransaction` is false. */
  readonly schema?: Pick<SchemaEditor, 'apply'>
}

/** A row, by output names. */
export type Row = Record<string, unknown>

/** What came of an execution. */
export interface Result {
  /** What was selected or returned. */
  readonly rows: Row[]
  /** How many rows were read, inserted, updated or deleted. */
  readonly count: number
}

/** A statement made ready by one backend. The rest of it is the backend's own. */
export interface Plan {
  readonly statement: Statement
  /** Whether calls of one tick are worth giving to `executeTogether`. */
  readonly gathers: boolean
}

/** One call for `executeTogether`. */
export interface Call {
  readonly plan: Plan
  readonly parameters: readonly unknown[]
}

/** The outcome of one call. */
export type Settled =
  | { readonly result: Result; readonly error?: never }
  | { readonly error: unknown; readonly result?: never }

/** Isolation levels by their names in SQL; a backend may give a stronger one than was asked for. */
export type Isolation = 'serializable' | 'repeatable read' | 'read committed'

/** How a transaction runs. */
export interface TransactionOptions {
  /** `serializable` unless given. */
  readonly isolation?: Isolation
  /** Refuses writes; on SQLite it then does not wait for the writer. */
  readonly readOnly?: boolean
  /** After so many milliseconds the transaction is rolled back and rejects with `TimeoutError`. */
  readonly timeoutMs?: number
}

/** How a transaction of a migration runs. */
export interface AlteringOptions extends TransactionOptions {
  /** It will alter tables. SQLite then looks at foreign keys when it commits, since rebuilding a table would set off their actions. */
  readonly altersTables?: boolean
}

/** What a backend can do, as facts that shared code may ask for. */
export interface Traits {
  /** Keeps data after `close`. */
  readonly persistent: boolean
  /** Other processes can open the same database. */
  readonly sharedBetweenProcesses: boolean
  /** Locks rows, so that `skipLocked` lets others pass. Elsewhere one writer runs at a time and it means nothing. */
  readonly skipsLocked: boolean
  /** Schema changes roll back with their transaction. */
  readonly altersInTransaction: boolean
  /** Runs SQL of this dialect, for `storage.sql`. */
  readonly sql?: 'sqlite' | 'postgres'
}

/** A change of the database's schema. Models name one another; `SchemaEditor.apply` is given those that are meant. */
export type SchemaChange =
  /** With its indexes, foreign keys and checks; does nothing where a table of that name exists. */
  | { readonly kind: 'createTable'; readonly model: Model }
  | { readonly kind: 'createIndex'; readonly model: Model; readonly index: string }
  | { readonly kind: 'dropTable'; readonly table: string }
  | AlterTable
  /** SQL of the backend's own dialect. SQL backends only. */
  | { readonly kind: 'sql'; readonly text: string }

/**
 * Turns a table that was made from one model into the one that another model would make, down to the names of its constraints;
 * rows stay. `alteration.ts` says what differs.
 */
export interface AlterTable {
  readonly kind: 'alterTable'
  readonly from: Model
  readonly to: Model
  /** Columns that are called differently: the name in `to`, then the name in `from`. */
  readonly renamed?: ReadonlyMap<string, string>
  /** What rows hold that would hold null, by the name of the column in `to`; stored once, not a default for later. */
  readonly fill?: ReadonlyMap<string, unknown>
  /** Others should be able to write meanwhile: whoever applies it asks `SchemaEditor.alterConcurrently` where there is one. */
  readonly concurrently?: boolean
}

/** The parts of an alteration that lets others write meanwhile: one transaction, what takes its time outside of any, and another one. */
export interface ConcurrentAlteration {
  /** Adds rules that only what is written from now on is held to. */
  readonly before: readonly SchemaChange[]
  /**
   * Holds the rows that are there to those rules, and makes indexes. It may be repeated, also after it was interrupted.
   *
   * @throws ConstraintError, ConflictError for rows that break one.
   */
  finish(): Promise<void>
  /** Does the rest, when that is done. */
  readonly after: readonly SchemaChange[]
  /** Takes away what was added, where rows break it. */
  readonly undo: readonly SchemaChange[]
}

/** Edits the schema and looks at it. */
export interface SchemaEditor {
  /**
   * Makes the changes in order; tables of one call may refer to each other in any order. All or none where the engine can.
   *
   * @param models those that the changes speak of, by name; the storage's own unless given.
   */
  apply(changes: readonly SchemaChange[], models?: Models): Promise<void>
  /** How to alter a table while others write to it. Absent where one writer runs at a time anyway. */
  alterConcurrently?(change: AlterTable, models: Models): ConcurrentAlteration
  /** The SQL that `apply` would run, for people to read; it is asked before the backend is open too. Nothing where there is no SQL. */
  statements(changes: readonly SchemaChange[], models: Models): readonly string[]
  /** The tables that exist. */
  inspect(): Promise<readonly ExistingTable[]>
  /** The indexes, constraints and defaults of the tables that exist. */
  inspectRules(): Promise<readonly TableRules[]>
  /** The same for tables that are made from models for a moment, so that both are in the same words. */
  expectedRules(models: Models): Promise<readonly TableRules[]>
  /**
   * How the column types of a model are called in the database, by the names `inspect` uses, so that a live table can be compared
   * with what the code expects.
   */
  expected(model: Model): ExistingTable
}

/**
 * What a table says beyond its columns, in the database's own words: by what it is and its name (`index users_name_index`, `check users_age_check`,
 * `default of age`), how it is written.
 */
export interface TableRules {
  readonly name: string
  readonly rules: ReadonlyMap<string, string>
  /** Without the primary key. */
  readonly indexes: readonly ExistingIndex[]
  readonly references: readonly ExistingReference[]
}

/** An index as it is in the database. */
export interface ExistingIndex {
  readonly name: string
  readonly unique: boolean
  /** Whether only some rows are in it. */
  readonly partial: boolean
  /** Null for an expression. */
  readonly columns: readonly (string | null)[]
}

/**
 * Reference actions in SQL. `restrict` becomes `no action`, which looks when the statement is done: SQL's own `restrict` looks at once, so that
 * whether a record and those that refer to it can be deleted together would depend on which comes first.
 */
export const SQL_ACTIONS = { restrict: 'no action', cascade: 'cascade', setNull: 'set null' } as const

/** A foreign key as it is in the database. */
export interface ExistingReference {
  readonly columns: readonly string[]
  readonly table: string
  /** The columns there; none for its primary key. */
  readonly references: readonly string[]
  /** In SQL: `no action`, `cascade`, `set null`. */
  readonly onDelete: string
  readonly onUpdate: string
}

/** A table as it is in the database; all names are the database's. */
export interface ExistingTable {
  readonly name: string
  readonly columns: readonly ExistingColumn[]
  readonly primaryKey: readonly string[]
  readonly indexes: readonly { readonly name: string; readonly unique: boolean }[]
}

/** A column as it is in the database. */
export interface ExistingColumn {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
}

/** Ends a subscription. */
export type Unsubscribe = () => Promise<void>
