import type {
  CommitListener,
  Connection,
  GatheredWriter,
  Isolation,
  Plan,
  Result,
  Row,
  SchemaChange,
  Session,
  Traits,
} from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { ConfigurationError, ConnectionError, SerializationError, StorageError, TimeoutError } from '../base/errors.ts'
import type { Model, Models } from '../schema/index.ts'
import type { Statement } from '../statement/index.ts'
import { type AmbientScope, runInScope } from './ambient.ts'
import { Written } from './committed.ts'
import { Gathered } from './gathered.ts'
import type { Counters } from './metrics.ts'
import type { Reaches } from './reaches.ts'

/** What a transaction needs of the storage it belongs to. */
export interface TransactionRoot
  extends Omit<
    Session,
    | 'execute'
    | 'stream'
    | 'transaction'
    | 'assertUsable'
    | 'beforeCommit'
    | 'afterCommit'
    | 'inTransaction'
    | 'isolation'
    | 'actor'
  > {
  readonly counters: Counters
  readonly reaches: Reaches
  /** Whether the table of an undeclared collection is known to exist. */
  hasTable(model: Model): boolean
  /** Counts a statement and tells those who watch. */
  observe(statement: Statement): void
}

/**
 * Calls made inside one transaction, or one savepoint of it.
 *
 * ```
 *            a nested transaction begins
 *   open ──────────────────────────────────▶ waiting for it ──▶ open again
 *    │  a statement fails
 *    ├───────────────────▶ failed: refuses statements, and refuses to commit
 *    │  `work` settles, or the outer one was rejected: then nobody waits for `work` any more
 *    └───────────────────▶ ended: refuses everything
 * ```
 *
 * A failed statement fails the transaction even if its error was caught: Postgres would answer the commit with a rollback
 * and MariaDB would commit half of it. A nested transaction is how to try something that may fail.
 */
export class TransactionSession implements Session {
  readonly inTransaction = true
  readonly isolation: Isolation
  readonly root: TransactionRoot
  readonly actor: string | null
  /** What it has written so far. */
  readonly written: Written = new Written()
  readonly #connection: Connection
  readonly #hooks: (() => unknown)[] = []
  /** What is to be written before the commit; made when it is first needed. */
  #gathered: Gathered | undefined
  /** How many calls and nested transactions are under way. */
  #running = 0
  /** Called when none is any more. */
  #onQuiet: () => void = () => undefined
  readonly #scope: AmbientScope
  readonly #readOnly: boolean
  #child: Promise<unknown> | undefined
  /** The nested one that is open. */
  #nested: TransactionSession | undefined
  /** Rejects what this one, which is nested, waits for. */
  #abandon: ((reason: unknown) => void) | undefined
  #failure: unknown
  #ended = false
  /** Whether what is nested in it is no longer waited for. */
  #isGivenUp = false

  constructor(
    root: TransactionRoot,
    connection: Connection,
    actor: string | null,
    isolation: Isolation = 'serializable',
    readOnly = false,
  ) {
    this.isolation = isolation
    this.#readOnly = readOnly
    this.root = root
    this.actor = actor
    this.#connection = connection
    this.#scope = { transaction: this }
  }

  get models(): Models {
    return this.root.models
  }

  get traits(): Traits {
    return this.root.traits
  }

  get clock(): Clock {
    return this.root.clock
  }

  /** Whether calls on the storage itself would now be misplaced. */
  get active(): boolean {
    return !this.#ended
  }

  /** The error of the first statement that failed. */
  get failure(): unknown {
    return this.#failure
  }

  plan(key: string, statement: () => Statement): Plan {
    return this.root.plan(key, statement)
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    const { reaches } = this.root
    if (!reaches.concern(plan)) return this.#execute(plan, parameters)
    return reaches.resolve(this, plan, parameters).then((resolved) => this.#execute(plan, resolved))
  }

  #execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    try {
      this.assertUsable()
      this.root.observe(plan.statement)
      this.written.add(plan)
      return this.#tracked(this.#connection.execute(plan, parameters))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[]> {
    this.assertUsable()
    const { reaches } = this.root
    const resolved = reaches.concern(plan) ? await reaches.resolve(this, plan, parameters) : parameters
    this.root.observe(plan.statement)
    try {
      yield* this.#connection.stream(plan, resolved)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** Runs SQL as it stands. */
  sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#track(() => {
      if (this.#connection.sql === undefined) throw new TypeError('This backend runs no SQL')
      this.root.counters.statements++
      this.written.addSql(text)
      return this.#connection.sql(text, parameters)
    })
  }

  /** Changes the schema, for migrations. */
  async applySchema(changes: readonly SchemaChange[], models: Models): Promise<void> {
    await this.#track(async () => {
      if (this.#connection.schema === undefined) throw new TypeError('This backend alters no tables in transactions')
      await this.#connection.schema.apply(changes, models)
      return { rows: [], count: 0 }
    })
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.runNested(work)
  }

  /**
   * Runs `work` in a savepoint; several at once run one after the other. Options of transactions do not apply here. Where this one rejects
   * first, nobody waits for `work`, which can do nothing more: whoever waits for the promise is given what becomes of it.
   */
  async runNested<T>(work: (session: TransactionSession) => Promise<T>): Promise<T> {
    while (this.#child !== undefined) await this.#child
    this.assertUsable()
    const { promise: settled, resolve } = Promise.withResolvers<void>()
    this.#child = settled
    this.#running++
    let given: Promise<T> | undefined
    const noted = (session: TransactionSession): Promise<T> => {
      given = Promise.resolve(work(session))
      return given
    }
    try {
      return await this.#savepoint(noted)
    } catch (error) {
      if (this.#isGivenUp && given !== undefined) return given
      throw error
    } finally {
      this.#child = undefined
      this.#ran()
      resolve()
    }
  }

  async #savepoint<T>(work: (session: TransactionSession) => Promise<T>): Promise<T> {
    const child = new TransactionSession(this.root, this.#connection, this.actor, this.isolation, this.#readOnly)
    this.#nested = child
    try {
      const value = await this.#connection.savepoint(() => child.run(() => child.#unlessGivenUp(work)))
      this.#hooks.push(...child.#hooks)
      this.written.addAll(child.written)
      if (child.#gathered !== undefined) this.#gather().addAll(child.#gathered)
      return value
    } catch (error) {
      if (endsWholeTransaction(child.#failure)) this.fail(child.#failure)
      throw error
    } finally {
      this.#nested = undefined
      child.end()
    }
  }

  /** What `work` gives; rejects when the outer transaction does before: it would hold that one open for as long as it likes. */
  #unlessGivenUp<T>(work: (session: TransactionSession) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.assertUsable()
      this.#abandon = reject
      work(this).then(resolve, reject)
    })
  }

  /** Ends it and what is nested in it, the innermost first, whatever their work is at. */
  #giveUp(reason: unknown): void {
    this.#ended = true
    this.#isGivenUp = true
    if (this.#nested !== undefined) this.#nested.#giveUp(reason)
    this.#abandon?.(reason)
  }

  /**
   * Runs the transaction's work, and refuses to go on to the commit when a statement failed, even if nobody noticed.
   *
   * @param isWhole whether it is the work of the whole transaction: what it has gathered is then written.
   * @throws StorageError, code `TRANSACTION_FAILED`.
   */
  async run<T>(work: (session: TransactionSession) => Promise<T>, isWhole = false): Promise<T> {
    try {
      const value = await runInScope(this.#scope, () => work(this))
      while (this.#running > 0) await this.#quiet()
      if (this.#gathered !== undefined) {
        await this.#gathered.ready()
        if (isWhole && this.#failure === undefined) await this.#gathered.write(this)
        while (this.#running > 0) await this.#quiet()
      }
      if (this.#failure !== undefined) throw this.#failed()
      return value
    } catch (error) {
      this.#giveUp(error)
      throw error
    } finally {
      this.#ended = true
      if (this.#running > 0) await this.#quiet()
    }
  }

  beforeCommit<Item>(writer: GatheredWriter<Item>, items: Promise<readonly Item[]>): void {
    this.#gather().add(writer, items)
  }

  #gather(): Gathered {
    this.#gathered ??= new Gathered()
    return this.#gathered
  }

  fail(error: unknown): void {
    this.#failure ??= error
    this.root.counters.failures++
  }

  afterCommit(work: () => unknown): void {
    this.#hooks.push(work)
  }

  /** Runs what was to follow the commit. */
  committed(): void {
    for (const hook of this.#hooks) queueMicrotask(() => runApart(hook))
  }

  /** Refuses everything from now on. */
  end(): void {
    this.#ended = true
  }

  onCommitted(listener: CommitListener): () => void {
    return this.root.onCommitted(listener)
  }

  async ensureTable(model: Model): Promise<void> {
    if (this.root.hasTable(model)) return
    if (this.#readOnly) {
      const error = new MissingTable(model)
      this.fail(error)
      throw error
    }
    if (this.#connection.schema === undefined) return this.root.ensureTable(model)
    return this.#connection.schema.apply([{ kind: 'createTable', model }])
  }

  notify(topic: string): void {
    this.afterCommit(() => this.root.notify(topic))
  }

  wake(topic: string, onWake: () => void): Promise<() => Promise<void>> {
    return this.root.wake(topic, onWake)
  }

  #track(start: () => Promise<Result>): Promise<Result> {
    let running: Promise<Result>
    try {
      this.assertUsable()
      running = start()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#tracked(running)
  }

  #tracked(running: Promise<Result>): Promise<Result> {
    this.#running++
    return running.then(this.#onResult, this.#onError)
  }

  // Made once a transaction, and not for every call.
  readonly #onResult = (result: Result): Result => {
    this.#ran()
    return result
  }

  readonly #onError = (error: unknown): never => {
    this.fail(error)
    this.#ran()
    throw error
  }

  #ran(): void {
    if (--this.#running === 0) this.#onQuiet()
  }

  /** Resolves when nothing is under way. */
  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve
    })
  }

  #failed(): StorageError {
    return new StorageError('TRANSACTION_FAILED', 'A statement of this transaction failed, so it can only roll back.', {
      hint: 'Let the error leave the transaction, or put what may fail into tx.transaction(…), which can be undone alone.',
      cause: this.#failure,
    })
  }

  assertUsable(): void {
    if (this.#ended) throw transactionEnded()
    if (this.#failure !== undefined) throw this.#failed()
    if (this.#child !== undefined) {
      throw new ConfigurationError('A nested transaction is open; calls on the outer one would become part of it.', {
        code: 'TRANSACTION_MISUSE',
        hint: 'Use the `tx` of the nested transaction, and await it before going on with the outer one.',
      })
    }
  }
}

/** Says that a transaction which cannot make tables needs one: who ran it makes the table and runs it again. */
export class MissingTable extends SerializationError {
  readonly model: Model

  constructor(model: Model) {
    super(`The table of ${model.name} is not made yet.`)
    this.model = model
  }
}

/** Runs work that nobody waits for: what it throws, or rejects with, cannot undo the commit, and is an uncaught exception. */
function runApart(work: () => unknown): void {
  const given = work()
  if (given instanceof Promise)
    given.catch((error: unknown) =>
      queueMicrotask(() => {
        throw error
      }),
    )
}

/** The error for what is done in a transaction too late. */
export function transactionEnded(): ConfigurationError {
  return new ConfigurationError('The transaction has ended; nothing can be done in it any more.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Await every call inside the transaction, and do not keep `tx` beyond it.',
  })
}

/** Errors after which no savepoint can bring the transaction back. */
function endsWholeTransaction(failure: unknown): boolean {
  return failure instanceof SerializationError || failure instanceof ConnectionError || failure instanceof TimeoutError
}
