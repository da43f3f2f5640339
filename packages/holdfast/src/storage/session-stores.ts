import type { Kysely } from 'kysely'
import { Audit, type AuditHost, auditModels } from '../audit/index.ts'
import type { Session } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import {
  type CacheAccess,
  type CacheOptions,
  type Caches,
  cacheEntries,
  type ReadCache,
  TransactionCaches,
} from '../cache/index.ts'
import { LiveRepository } from '../changes/index.ts'
import { Graph, type UntypedGraph } from '../graph/index.ts'
import { type BackgroundSettling, type History, type Recorder, RecordingSession } from '../history/index.ts'
import type { Migrations } from '../migrations/index.ts'
import { Queue, queueModels, type WorkerHost } from '../queue/index.ts'
import type { GraphName, GraphTypes, Model, ModelName, QueueDeclaration, QueueName, Schema } from '../schema/index.ts'
import { type GraphsKnown, graphIn } from './graphs.ts'
import type { LaterSession } from './later-transaction.ts'
import type { KyselyOf, SqlRunner, SqlTables } from './sql.ts'
import type { GraphTypesOf, QueueOf, RepositoryOf, Stores, Transaction, UndeclaredRepository } from './stores.ts'
import { assertFunction } from './transaction-options.ts'
import { type TransactionSession, transactionEnded } from './transaction-session.ts'
import { EnsuringSession, undeclaredModel } from './undeclared.ts'

/** What all sessions of a storage share. */
export interface Shared extends GraphsKnown {
  readonly migrations: Migrations
  /** Undefined where the backend runs no SQL. */
  readonly kyselyOf: KyselyOf | undefined
  readonly audit: AuditHost
  readonly caches: Caches
  readonly reads: ReadCache
  readonly histories: ReadonlyMap<string, History>
  readonly recorder: Recorder
  readonly settling: BackgroundSettling
}

/** The ways to the data, in one session. */
export abstract class SessionStores<S extends Schema> implements Omit<Stores<S>, 'cache'> {
  protected readonly shared: Shared
  /** What workers and those who watch need; a transaction has neither. */
  protected readonly workers: WorkerHost<Transaction<S>> | undefined
  readonly #session: Session & SqlRunner
  readonly #reads: ReadCache | undefined
  #sql: Kysely<SqlTables<S>> | undefined
  #audit: Audit | undefined

  constructor(shared: Shared, session: Session & SqlRunner) {
    this.shared = shared
    this.#session = session
    // A transaction sees what it has written and nothing that others wrote since it began: it reads for itself.
    this.#reads = session.inTransaction ? undefined : shared.reads
  }

  repository<Name extends ModelName<S>>(name: Name): RepositoryOf<S, Name>
  repository<Content extends object = Record<string, unknown>>(name: string): UndeclaredRepository<Content>
  repository(name: string): unknown {
    const { models, schema, histories, recorder } = this.shared
    const declared = schema.models.get(name)
    if (declared !== undefined) {
      const recorded = recorder.concerns.concerns(declared)
      const session = recorded ? new RecordingSession(this.#session, recorder) : this.#session
      return new LiveRepository(session, declared, histories.get(name), this.workers, this.#reads)
    }
    const undeclared = models.get(name) ?? undeclaredModel(name, this.shared)
    return new LiveRepository(
      new EnsuringSession(this.#session, [undeclared]),
      undeclared,
      undefined,
      this.workers,
      this.#reads,
    )
  }

  queue<Name extends QueueName<S>>(name: Name): QueueOf<S, Name>
  queue<Data = unknown, Result = unknown>(name?: string): Queue<Data, Data, Transaction<S>, Result>
  queue(name = 'default'): unknown {
    return new Queue(this.reaching(queueModels), name, (other) => this.#queueOf(other), this.workers)
  }

  #queueOf(name: string): QueueDeclaration | undefined {
    const declaration = this.shared.schema.declarations[name]
    return declaration?.kind === 'queue' ? declaration : undefined
  }

  graph<Name extends GraphName<S>>(name: Name): Graph<GraphTypesOf<S, Name>>
  graph<T extends GraphTypes = UntypedGraph>(name?: string): Graph<T>
  graph(name = 'default'): unknown {
    return new Graph(graphIn(this.#session, name, this.shared))
  }

  get audit(): Audit {
    this.#audit ??= new Audit(this.reaching(auditModels), this.shared.audit)
    return this.#audit
  }

  /** The session, which first makes the tables of a feature that the schema does not speak of. */
  protected reaching(models: readonly Model[]): Session {
    const missing = models.filter((model) => !this.shared.created.has(model))
    return missing.length === 0 ? this.#session : new EnsuringSession(this.#session, missing)
  }

  get sql(): Kysely<SqlTables<S>> {
    if (this.shared.kyselyOf === undefined) {
      throw new ConfigurationError('This backend runs no SQL.', {
        hint: 'Use repositories, or open a storage on SQLite or Postgres.',
      })
    }
    this.#sql ??= this.shared.kyselyOf<S>(this.#session, this.shared.models)
    return this.#sql
  }
}

/** The ways to the data, in one transaction. */
export class TransactionStores<S extends Schema> extends SessionStores<S> implements Transaction<S> {
  readonly #session: TransactionSession | LaterSession
  readonly #outer: TransactionStores<S> | undefined
  /** Made when they are first needed: most transactions use none. */
  #caches: TransactionCaches | undefined

  /** @param outer the transaction around a savepoint. */
  constructor(shared: Shared, session: TransactionSession | LaterSession, outer?: TransactionStores<S>) {
    super(shared, session)
    this.#session = session
    this.#outer = outer
  }

  /** Makes memory forget what the transaction wrote to caches, since nobody knows whether it is committed. */
  mayBeCommitted(): void {
    this.#caches?.mayBeCommitted()
  }

  cache<V = unknown>(name: string, options?: CacheOptions): CacheAccess<V> {
    return this.#cachesHere().get(name, options) as CacheAccess<V>
  }

  #cachesHere(): TransactionCaches {
    const session = this.#session
    const begin = async (): Promise<unknown> => ('open' in session ? session.open() : undefined)
    this.#caches ??= new TransactionCaches(
      this.shared.caches,
      this.reaching([cacheEntries]),
      begin,
      this.#outer === undefined ? undefined : this.#outer.#cachesHere(),
    )
    return this.#caches
  }

  async transaction<T>(work: (tx: Transaction<S>) => T | Promise<T>): Promise<T> {
    assertFunction(work, 'work')
    const [value, caches] = await this.#session.runNested(async (inner) => {
      const stores = new TransactionStores<S>(this.shared, inner, this)
      const done = await work(stores)
      return [done, stores.#caches] as const
    })
    await caches?.join()
    return value
  }

  afterCommit(work: () => unknown): void {
    assertFunction(work, 'afterCommit')
    if (!this.#session.active) throw transactionEnded()
    this.#session.afterCommit(work)
  }
}
