import type { Kysely } from 'kysely'
import type { AuditLog } from '../audit/index.ts'
import type { RetryingTransactionOptions } from '../backend/index.ts'
import type { CacheAccess, CacheOptions } from '../cache/index.ts'
import type { LiveRepository } from '../changes/index.ts'
import type { Graph, UntypedGraph } from '../graph/index.ts'
import type { Queue } from '../queue/index.ts'
import type { RelationsOf, UndeclaredSchema } from '../repository/types.ts'
import type {
  DocumentFields,
  GraphDeclaration,
  GraphName,
  GraphTypes,
  Insert,
  Key,
  ModelName,
  QueueDeclaration,
  QueueName,
  Row,
  Schema,
} from '../schema/index.ts'
import type { SqlTables } from './sql.ts'

/**
 * The repository of a model of a schema.
 *
 * @example
 * ```ts
 * function named(users: RepositoryOf<typeof schema, 'users'>, username: string) {
 *   return users.findOne({ where: { username } })
 * }
 * ```
 */
export type RepositoryOf<S extends Schema, Name extends ModelName<S>> = LiveRepository<
  Row<S, Name> & object,
  Insert<S, Name>,
  Key<S, Name>,
  S,
  RelationsOf<S, Name>
>

/**
 * The repository of a collection nobody declared.
 *
 * @example
 * ```ts
 * const notes: UndeclaredRepository<{ text: string }> = storage.repository<{ text: string }>('notes')
 * ```
 */
export type UndeclaredRepository<Content extends object> = LiveRepository<
  Content & DocumentFields,
  Content & { id?: string | undefined },
  string,
  UndeclaredSchema<Content>,
  Record<never, never>
>

/** The payload of a queue of a schema, as a handler is given it. */
export type QueueData<S extends Schema, Name extends QueueName<S>> =
  S['declarations'][Name] extends QueueDeclaration<infer Data, infer _, infer _, infer _> ? Data : never

/** The payload of a queue of a schema, as `enqueue` takes it. */
export type QueueInput<S extends Schema, Name extends QueueName<S>> =
  S['declarations'][Name] extends QueueDeclaration<infer _, infer Input, infer _, infer _> ? Input : never

/** The result of a job of a queue of a schema, as it is read. */
export type QueueResult<S extends Schema, Name extends QueueName<S>> =
  S['declarations'][Name] extends QueueDeclaration<infer _, infer _, infer Result, infer _> ? Result : never

/** What a handler of a queue of a schema returns. */
export type QueueResultInput<S extends Schema, Name extends QueueName<S>> =
  S['declarations'][Name] extends QueueDeclaration<infer _, infer _, infer _, infer Input> ? Input : never

/**
 * A job queue of a schema.
 *
 * @example
 * ```ts
 * const mail: QueueOf<typeof schema, 'mail'> = storage.queue('mail')
 * ```
 */
export type QueueOf<S extends Schema, Name extends QueueName<S>> = Queue<
  QueueData<S, Name>,
  QueueInput<S, Name>,
  Transaction<S>,
  QueueResult<S, Name>,
  QueueResultInput<S, Name>
>

/** What a graph of a schema holds. */
export type GraphTypesOf<S extends Schema, Name extends GraphName<S>> =
  S['declarations'][Name] extends GraphDeclaration<infer Types> ? Types : never

/** What a storage and a transaction have in common: the ways to its data. */
export interface Stores<S extends Schema> {
  /**
   * The records of a model. A name that the schema does not declare is a documents collection, made at its first use, where
   * `autoCreate` is on.
   *
   * @throws ConfigurationError for an undeclared name where it is off.
   */
  repository<Name extends ModelName<S>>(name: Name): RepositoryOf<S, Name>
  repository<Content extends object = Record<string, unknown>>(name: string): UndeclaredRepository<Content>

  /** A job queue; without a name the default one. */
  queue<Name extends QueueName<S>>(name: Name): QueueOf<S, Name>
  queue<Data = unknown, Result = unknown>(name?: string): Queue<Data, Data, Transaction<S>, Result>

  /**
   * The cache of a name: the same one however often it is asked for. Its options are given the first time, and need not be repeated. In
   * a transaction it sees what that wrote; everybody else does once it is committed.
   *
   * @throws ValidationError for options that are wrong; ConfigurationError for others than it was made with.
   *
   * @example
   * ```ts
   * const sessions = storage.cache<Session>('sessions', { ttlMs: 600_000, max: 5_000, levels: ['memory', 'storage'] })
   * const session = await sessions.getOrSet(id, () => fetchSession(id), { tags: [`user ${userId}`] })
   * ```
   */
  cache<V = unknown>(name: string, options?: CacheOptions): CacheAccess<V>

  /** The audit log: who did what, in a chain in which every later change shows. */
  readonly audit: AuditLog

  /**
   * A graph; without a name the default one. One that the schema does not declare takes any label, relation and data; it is made at its first
   * use where `autoCreate` is on.
   *
   * @throws ConfigurationError for an undeclared name where it is off.
   */
  graph<Name extends GraphName<S>>(name: Name): Graph<GraphTypesOf<S, Name>>
  graph<T extends GraphTypes = UntypedGraph>(name?: string): Graph<T>

  /**
   * Kysely on this database, typed from the schema, for what repositories have no word for. On SQL backends only. What it
   * reads and writes is as the driver has it, and its writes are not checked by the schema.
   *
   * @throws ConfigurationError on a backend without SQL.
   */
  readonly sql: Kysely<SqlTables<S>>
}

/**
 * One transaction: the same ways to the data, whose reads and writes take effect together or not at all. Only good inside the
 * function it was given to.
 */
export interface Transaction<S extends Schema> extends Stores<S> {
  /**
   * A part that can be undone alone: when `work` rejects, its writes are gone and the outer transaction can go on.
   *
   * @example
   * ```ts
   * await tx.transaction((inner) => inner.repository('users').create(user)).catch(() => 'taken')
   * ```
   */
  transaction<T>(work: (tx: Transaction<S>) => T | Promise<T>): Promise<T>
  /**
   * Runs `work` once, after the data is committed; not when it rolls back. Nobody waits for it: what it throws, or rejects with, is an
   * uncaught exception.
   *
   * @example
   * ```ts
   * tx.afterCommit(() => sendMail(user).catch((error) => log.error(error)))
   * ```
   */
  afterCommit(work: () => unknown): void
}

/** How a transaction runs. */
export type TransactionOptions = RetryingTransactionOptions
