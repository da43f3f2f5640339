import { acceptActor } from '../audit/index.ts'
import type { Backend, Session } from '../backend/index.ts'
import { type Issue, isHoldfastError, UnknownOutcomeError, ValidationError } from '../base/errors.ts'
import type { Cache, CacheOptions } from '../cache/index.ts'
import type { Migrations } from '../migrations/index.ts'
import {
  type Handler,
  type ManyHandler,
  type Worker,
  type WorkerHost,
  Workers,
  type WorkManyOptions,
  type WorkOptions,
} from '../queue/index.ts'
import type { Models, QueueName, Schema } from '../schema/index.ts'
import { assertHandlers } from './accept-handlers.ts'
import { ActingSession } from './acting-session.ts'
import {
  acceptBatch,
  type BatchOperation,
  type BatchResults,
  type BatchTarget,
  type OnlyOperations,
  runBatch,
} from './batch.ts'
import { type LaterSession, openLater } from './later-transaction.ts'
import type { StorageMetrics } from './metrics.ts'
import type { RootSession, StatementListener } from './root-session.ts'
import { SessionStores, type Shared, TransactionStores } from './session-stores.ts'
import type { QueueData, QueueResult, QueueResultInput, Stores, Transaction, TransactionOptions } from './stores.ts'
import { assertFunction, NO_OPTIONS } from './transaction-options.ts'
import type { TransactionSession } from './transaction-session.ts'

/** Whether a storage is well. */
export interface Health {
  readonly ok: boolean
  /** The backend's name, such as `sqlite`. */
  readonly backend: string
  /** How long the database took to answer, or to fail. */
  readonly latencyMs: number
  /** Why it is not well. */
  readonly error?: string
}

/** The schema of a storage that was opened without one. */
export type NoSchema = Schema<Record<never, never>, Record<never, never>>

type HandlerOf<S extends Schema, Name extends QueueName<S>> = Handler<
  QueueData<S, Name>,
  Transaction<S>,
  QueueResultInput<S, Name>
>

type HandlerWithOptions<S extends Schema, Name extends QueueName<S> = QueueName<S>> = WorkOptions & {
  readonly handler: HandlerOf<S, Name>
}

/** A handler of many jobs, as `workMany` takes it, with options. */
type ManyHandlerWithOptions<S extends Schema, Name extends QueueName<S> = QueueName<S>> = WorkManyOptions & {
  readonly many: ManyHandler<QueueData<S, Name>, Transaction<S>, QueueResultInput<S, Name>>
}

/** The handlers of queues, by their names, as `storage.work` takes them. */
export type QueueHandlers<S extends Schema> = {
  readonly [Name in QueueName<S>]?: HandlerOf<S, Name> | HandlerWithOptions<S, Name> | ManyHandlerWithOptions<S, Name>
}

/** The workers of queues, by their names. */
type WorkersOf<S extends Schema> = { readonly [Name in QueueName<S>]: Worker<QueueData<S, Name>, QueueResult<S, Name>> }

/**
 * An open storage: the ways to its data, transactions, and its own life. Made by `openStorage`.
 */
export class Storage<S extends Schema = NoSchema> extends SessionStores<S> implements Stores<S> {
  readonly #session: RootSession
  readonly #backend: Backend
  readonly #actor: string | null
  /** What must end before it closes: workers, and those who watch. */
  readonly #loops: Set<{ stop(): Promise<void> }>
  protected override readonly workers: WorkerHost<Transaction<S>>

  constructor(
    shared: Shared,
    session: RootSession,
    backend: Backend,
    actor: string | null = null,
    loops: Set<{ stop(): Promise<void> }> = new Set(),
  ) {
    super(shared, actor === null ? session : new ActingSession(session, actor))
    const transactionOf = (of: Session) => new TransactionStores<S>(shared, of as TransactionSession | LaterSession)
    this.workers = {
      openLater: (options) => openLater(session, actor, transactionOf, options),
      started: (loop) => this.#started(loop),
      running: loops,
    }
    this.#session = session
    this.#backend = backend
    this.#actor = actor
    this.#loops = loops
  }

  #started(loop: { stop(): Promise<void> }): () => void {
    this.#loops.add(loop)
    return () => this.#loops.delete(loop)
  }

  /**
   * This storage on behalf of somebody: what is recorded through it, and in its transactions, carries the name. It is the same
   * storage otherwise; closing either closes both.
   *
   * @throws ValidationError unless it is a text or a number.
   *
   * @example
   * ```ts
   * await storage.as(user.id).audit.record({ event: 'plan.deleted', data: { planId } })
   * ```
   */
  as(actor: string | number): Storage<S> {
    const issues: Issue[] = []
    const name = acceptActor(actor, issues)
    if (name === null) issues.push({ path: 'actor', reason: 'must be named' })
    if (issues.length > 0) throw new ValidationError('The actor was refused', issues)
    return new Storage<S>(this.shared, this.#session, this.#backend, name, this.#loops)
  }

  /**
   * Runs `work` in one transaction: serializable, committed when it resolves, rolled back when it rejects. After a conflict
   * with another transaction the whole of `work` runs again, so effects outside the database belong into `tx.afterCommit`.
   *
   * @throws SerializationError when the retries are used up; TimeoutError; UnknownOutcomeError when the connection was lost while
   *   it committed; and whatever `work` rejects with.
   *
   * @example
   * ```ts
   * const run = await storage.transaction(async (tx) => {
   *   const run = await tx.repository('runs').create({ planId, status: 'pending' })
   *   await tx.queue('execute').enqueue({ planId, runId: run.id })
   *   return run
   * })
   * ```
   */
  async transaction<T>(
    work: (tx: Transaction<S>) => T | Promise<T>,
    options: TransactionOptions = NO_OPTIONS,
  ): Promise<T> {
    assertFunction(work, 'work')
    let stores: TransactionStores<S> | undefined
    try {
      return await this.#session.runTransaction(
        async (session) => {
          stores = new TransactionStores<S>(this.shared, session)
          return work(stores)
        },
        options,
        this.#actor,
      )
    } catch (error) {
      if (error instanceof UnknownOutcomeError) stores?.mayBeCommitted()
      throw error
    }
  }

  /**
   * Runs several writes as one atomic unit, without a callback.
   *
   * @returns what each operation gave, in order: the record, the records, whether it was deleted, the job.
   *
   * @example
   * ```ts
   * const [user, plan] = await storage.batch([
   *   { insert: 'users', values: { name: 'kim' } },
   *   { update: 'plans', id, set: { status: 'done' } },
   * ])
   * ```
   */
  async batch<const Operations extends readonly BatchOperation[]>(
    operations: Operations & OnlyOperations<Operations>,
  ): Promise<BatchResults<S, Operations>> {
    const accepted = acceptBatch(operations)
    const given = await this.transaction((tx) => runBatch(tx as unknown as BatchTarget, accepted))
    return given as BatchResults<S, Operations>
  }

  /**
   * Starts workers for several queues.
   *
   * @param handlers by queue: a handler, or a handler with options of its own: `{ handler }`, or `{ many }` for one that takes many jobs.
   * @param options of all workers; `mode` and `middleware` of those whose handlers take one job.
   * @throws ValidationError for an unknown option, before any worker has started.
   *
   * @example
   * ```ts
   * const workers = storage.work(
   *   { mail: (job) => send(job.data), render: { handler: render, concurrency: 4 } },
   *   { pollMs: 500 },
   * )
   * workers.stopOnSignals({ timeoutMs: 10_000 }, () => storage.close())
   * ```
   */
  work(handlers: QueueHandlers<S>, options: WorkOptions = {}): Workers<WorkersOf<S>> {
    assertHandlers(handlers)
    const made = Object.entries<QueueHandlers<S>[QueueName<S>]>(handlers).map(
      ([name, given]) => [name, this.#workerOf(name, given, options)] as const,
    )
    for (const [, worker] of made) worker.start()
    return new Workers(Object.fromEntries(made) as unknown as WorkersOf<S>)
  }

  #workerOf(name: string, given: QueueHandlers<S>[QueueName<S>], options: WorkOptions): Worker {
    const queue = this.queue(name)
    if (typeof given === 'function') return queue.worker(given as Handler<unknown, Transaction<S>>, options)
    const { middleware: _, mode: __, ...shared } = options
    if (given !== undefined && 'many' in given) {
      const { many, ...own } = given
      return queue.manyWorker(many as ManyHandler<unknown, Transaction<S>>, { ...shared, ...own })
    }
    const { handler, ...own } = given as HandlerWithOptions<S>
    return queue.worker(handler as Handler<unknown, Transaction<S>>, { ...options, ...own })
  }

  /**
   * Whether the database answers, and how fast. Never rejects.
   *
   * @example
   * ```ts
   * const { ok, latencyMs, error } = await storage.health()
   * ```
   */
  async health(): Promise<Health> {
    const backend = this.#backend.name
    const started = performance.now()
    try {
      this.#session.assertUsable()
      await this.#backend.ping()
      return { ok: true, backend, latencyMs: performance.now() - started }
    } catch (error) {
      const reason = isHoldfastError(error) ? `${error.message} ${error.hint}` : String(error)
      return { ok: false, backend, latencyMs: performance.now() - started, error: reason }
    }
  }

  /** Like `Stores.cache`, with what the cache has done in this process. */
  cache<V = unknown>(name: string, options?: CacheOptions): Cache<V> {
    return this.shared.caches.get(name, options) as Cache<V>
  }

  /**
   * The migrations of this database: what is registered, what is applied, and the way from one to the other.
   *
   * @example
   * ```ts
   * storage.migrations.register({ name: '1_users', up: (m) => m.createTable('users', { id: t.id() }), down: (m) => m.dropTable('users') })
   * await storage.migrations.apply()
   * ```
   */
  get migrations(): Migrations {
    return this.shared.migrations
  }

  /** Every model by its name: those of the schema, those of features, and collections that were used. */
  get models(): Models {
    return this.shared.models
  }

  /**
   * What this storage has done since it was opened.
   *
   * @example
   * ```ts
   * const { statements, transactions } = storage.metrics()
   * console.log(statements, transactions.retried)
   * ```
   */
  metrics(): StorageMetrics {
    return this.#session.counters.read()
  }

  /**
   * Calls back with every statement as it is executed, for tests and telemetry; gives the function that ends it.
   *
   * @example
   * ```ts
   * const stop = storage.onStatement(({ kind, model }) => console.log(kind, model))
   * stop()
   * ```
   */
  onStatement(listener: StatementListener): () => void {
    return this.#session.onStatement(listener)
  }

  /** Stops workers and those who watch, refuses new calls, lets those that run finish, and closes files and connections. Closing twice is fine. */
  async close(): Promise<void> {
    this.#session.assertOutside()
    await Promise.all([...this.#loops].map((loop) => loop.stop()))
    await this.shared.audit.sealer.close()
    await this.shared.caches.close()
    await this.shared.settling.close()
    await this.#session.close()
  }

  /** Lets `await using storage = await openStorage(…)` close it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
