import {
  type AlteringOptions,
  type Backend,
  type CommitListener,
  Dispatcher,
  mayBeCommitted,
  type Plan,
  Plans,
  type Result,
  type RetryingTransactionOptions,
  type Row,
  type Session,
  type Traits,
} from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { ConfigurationError, ConnectionError, SerializationError, TimeoutError } from '../base/errors.ts'
import { pauseBefore } from '../base/retry.ts'
import type { Model, Models } from '../schema/index.ts'
import type { Statement } from '../statement/index.ts'
import { assertOutsideTransaction } from './ambient.ts'
import { Committed } from './committed.ts'
import { Counters } from './metrics.ts'
import { type IdsInReach, Reaches } from './reaches.ts'
import { assertTransactionOptions, NO_OPTIONS } from './transaction-options.ts'
import { MissingTable, type TransactionRoot, TransactionSession } from './transaction-session.ts'

const DEFAULT_RETRIES = 10

/** Watches the statements of a storage, for tests and telemetry. */
export type StatementListener = (statement: Statement) => void

/** Calls made on the storage itself: each on its own, those of one tick gathered. */
export class RootSession implements Session, TransactionRoot {
  readonly models: Models
  readonly clock: Clock
  readonly inTransaction = false
  readonly isolation = 'read committed'
  readonly actor = null
  readonly counters: Counters = new Counters()
  readonly reaches: Reaches
  readonly #backend: Backend
  readonly #plans: Plans
  readonly #dispatcher: Dispatcher
  readonly #ensured = new Map<string, Promise<void>>()
  readonly #committed: Committed
  readonly #tables = new Set<string>()
  readonly #listeners = new Set<StatementListener>()
  #openTransactions = 0
  #closed = false

  constructor(backend: Backend, models: Models, clock: Clock, idsInReach: IdsInReach = noGraphs) {
    this.#backend = backend
    this.reaches = new Reaches(idsInReach)
    this.#plans = new Plans({ prepare: (statement) => this.reaches.note(backend.prepare(statement)) })
    this.#committed = new Committed(models)
    this.#dispatcher = new Dispatcher(backend, this.#committed)
    this.models = models
    this.clock = clock
  }

  get traits(): Traits {
    return this.#backend.traits
  }

  plan(key: string, statement: () => Statement): Plan {
    return this.#plans.get(key, statement)
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    try {
      this.assertUsable()
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.reaches.concern(plan)) return this.#reach(plan, parameters)
    this.observe(plan.statement)
    return this.#dispatcher.execute(plan, parameters)
  }

  /** What is within reach is found first; for a write in the same transaction, so that it holds. */
  async #reach(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    if (plan.statement.kind !== 'select') return this.runTransaction((session) => session.execute(plan, parameters), {})
    const resolved = await this.reaches.resolve(this, plan, parameters)
    this.observe(plan.statement)
    return this.#dispatcher.execute(plan, resolved)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[]> {
    this.assertUsable()
    const resolved = this.reaches.concern(plan) ? await this.reaches.resolve(this, plan, parameters) : parameters
    this.observe(plan.statement)
    yield* this.#backend.stream(plan, resolved)
  }

  /** Runs SQL as it stands. */
  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    this.assertUsable()
    if (this.#backend.sql === undefined) throw new TypeError(`${this.#backend.name} runs no SQL`)
    this.counters.statements++
    try {
      const result = await this.#backend.sql(text, parameters)
      this.#committed.settledSql(text)
      return result
    } catch (error) {
      if (mayBeCommitted({ error })) this.#committed.settledSql(text)
      throw error
    }
  }

  async transaction<T>(
    work: (session: Session) => Promise<T>,
    options: RetryingTransactionOptions = NO_OPTIONS,
  ): Promise<T> {
    return this.runTransaction(work, options)
  }

  /** Like `transaction`, giving `work` all that a transaction's session can do; on behalf of `actor`. */
  runTransaction<T>(
    work: (session: TransactionSession) => Promise<T>,
    options: RetryingTransactionOptions,
    actor: string | null = null,
  ): Promise<T> {
    return this.#runTransaction(work, options, actor)
  }

  /** Runs a transaction that may change the schema, for migrations. */
  alter<T>(work: (session: TransactionSession) => Promise<T>): Promise<T> {
    const altering = (session: TransactionSession): Promise<T> => {
      // Whatever was read before may be of another shape by now.
      session.written.addSql('alter table')
      return work(session)
    }
    return this.#runTransaction(altering, { isolation: 'read committed' }, null, true)
  }

  async #runTransaction<T>(
    work: (session: TransactionSession) => Promise<T>,
    options: RetryingTransactionOptions,
    actor: string | null,
    altersTables = false,
  ): Promise<T> {
    assertTransactionOptions(options)
    this.assertUsable()
    const { retries = DEFAULT_RETRIES, timeoutMs, ...rest } = options
    const attempted: AlteringOptions = altersTables ? { ...rest, altersTables } : rest
    const started = timeoutMs === undefined ? 0 : performance.now()
    this.#openTransactions++
    try {
      for (let attempt = 0; ; attempt++) {
        const remainingMs = timeoutMs === undefined ? undefined : timeoutMs - (performance.now() - started)
        if (remainingMs !== undefined && remainingMs <= 0)
          throw new TimeoutError('The transaction', timeoutMs as number)
        const outcome = await this.#attempt(
          work,
          remainingMs === undefined ? attempted : { ...attempted, timeoutMs: remainingMs },
          actor,
        )
        if ('value' in outcome) return outcome.value
        if (outcome.missing !== undefined) {
          await this.ensureTable(outcome.missing)
          attempt--
          continue
        }
        if (attempt >= retries || !outcome.repeatable) throw outcome.error
        this.counters.retried++
        await pauseBefore(attempt)
      }
    } finally {
      this.#openTransactions--
    }
  }

  async #attempt<T>(
    work: (session: TransactionSession) => Promise<T>,
    options: AlteringOptions,
    actor: string | null,
  ): Promise<{ readonly value: T } | Failed> {
    let session: TransactionSession | undefined
    try {
      const value = await this.#backend.transaction(options, (connection) => {
        const opened = new TransactionSession(this, connection, actor, options.isolation, options.readOnly)
        session = opened
        return opened.run(work, true)
      })
      this.counters.committed++
      if (session !== undefined) this.#committed.settledTransaction(session.written)
      session?.committed()
      return { value }
    } catch (error) {
      this.counters.rolledBack++
      if (session !== undefined && mayBeCommitted({ error })) this.#committed.settledTransaction(session.written)
      const failure = session?.failure
      const missing = failure instanceof MissingTable ? failure.model : undefined
      return { error, missing, repeatable: isConflict(error) || isConflict(failure) }
    } finally {
      session?.end()
    }
  }

  beforeCommit(): never {
    throw new TypeError('There is no transaction that could gather')
  }

  fail(): never {
    throw new TypeError('There is no transaction that could fail')
  }

  afterCommit(work: () => void): void {
    work()
  }

  onCommitted(listener: CommitListener): () => void {
    return this.#committed.listen(listener)
  }

  async ensureTable(model: Model): Promise<void> {
    this.assertUsable()
    const known = this.#ensured.get(model.name)
    if (known !== undefined) return known
    const ensured = this.#backend.schema.apply([{ kind: 'createTable', model }]).then(
      () => {
        this.#tables.add(model.name)
      },
      (error: unknown) => {
        this.#ensured.delete(model.name)
        throw error
      },
    )
    this.#ensured.set(model.name, ensured)
    return ensured
  }

  hasTable(model: Model): boolean {
    return this.#tables.has(model.name)
  }

  notify(topic: string): void {
    if (this.#closed) return
    // A hint that is lost costs one polling interval, and the next statement tells of a lost connection.
    this.#backend.notify?.(topic).catch(() => this.counters.failures++)
  }

  async wake(topic: string, onWake: () => void): Promise<() => Promise<void>> {
    return this.#backend.wake?.(topic, onWake) ?? (async () => undefined)
  }

  /** Calls back with every statement from now on; gives the function that ends it. */
  onStatement(listener: StatementListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Counts a statement and tells those who watch. */
  observe(statement: Statement): void {
    this.counters.statements++
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(statement)
  }

  /** @throws ConnectionError once the storage is closed; ConfigurationError inside a transaction of it. */
  assertUsable(): void {
    if (this.#closed) {
      throw new ConnectionError('The storage is closed.', {
        code: 'CLOSED',
        hint: 'Open it again, or close it later.',
        retryable: false,
      })
    }
    this.assertOutside()
  }

  /** @throws ConfigurationError inside a transaction of the storage. */
  assertOutside(): void {
    if (this.#openTransactions > 0) assertOutsideTransaction(this)
  }

  /** Refuses new calls, lets those that run finish, and closes the backend. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    // Calls of this tick are still with the dispatcher; it hands them over first.
    await Promise.resolve()
    await this.#backend.close()
  }
}

/** What came of an attempt at a transaction. */
interface Failed {
  readonly error: unknown
  /** The model whose table must be made before the next attempt. */
  readonly missing: Model | undefined
  /** Whether another attempt may succeed. */
  readonly repeatable: boolean
}

function isConflict(error: unknown): boolean {
  return error instanceof SerializationError || (error instanceof ConnectionError && error.retryable)
}

/** For a session without a storage around it. */
function noGraphs(): Promise<never> {
  return Promise.reject(new ConfigurationError('There are no graphs here.', { hint: 'Ask a storage.' }))
}
