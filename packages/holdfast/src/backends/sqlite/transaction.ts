import type { Connection, Plan, Result, Row, SchemaChange, SchemaEditor } from '../../backend/index.ts'
import { ConfigurationError, StorageError } from '../../base/errors.ts'
import type { Models } from '../../schema/index.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import type { SqlitePlan } from './prepare.ts'
import { runSql } from './raw-sql.ts'
import { batches, OpenRead } from './stream.ts'
import { runWithin } from './unit.ts'

/** What a transaction needs to know of its backend. */
export interface TransactionContext {
  readonly connection: SqliteConnection
  readonly failures: Failures
  readonly readOnly: boolean
  /** Edits the schema on the transaction's connection. */
  applyChanges(changes: readonly SchemaChange[], models?: Models): void
}

interface Savepoint {
  readonly name: string
  /** Set with the first write inside. */
  isOpen: boolean
}

/** What `work` is given: everything runs on the transaction's own connection. */
export class SqliteTransaction implements Connection {
  readonly #context: TransactionContext
  /** Those that are open; made with the first. */
  #reads: Set<OpenRead> | undefined
  /** Those that are open, the outermost first. */
  readonly #savepoints: Savepoint[] = []
  /** Whether SQLite has ended the transaction by itself. */
  #rolledBack = false
  #ended = false
  /** Why it ended before its time. */
  #reason: unknown

  constructor(context: TransactionContext) {
    this.#context = context
  }

  get schema(): Pick<SchemaEditor, 'apply'> {
    return { apply: async (changes, models) => this.#do(() => this.#applyChanges(changes, models)) }
  }

  /** Runs `work` to its end, or until the signal aborts: then it rejects with its reason, and `work` can do nothing more. */
  async run<T>(work: (connection: Connection) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      const running = work(this)
      const value = await (signal === undefined ? running : Promise.race([running, aborted(signal)]))
      this.#assertRunning()
      return value
    } finally {
      this.#ended = true
      if (signal?.aborted === true) this.#reason = signal.reason
      for (const read of this.#reads ?? []) read.close()
    }
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    const own = plan as SqlitePlan
    const { connection } = this.#context
    try {
      this.#assertRunning()
      if (!own.writes) return Promise.resolve(own.run(connection, parameters))
      this.#assertWritable()
      this.#detachReads()
      this.#openSavepoints()
      return Promise.resolve(runWithin(own, connection, parameters))
    } catch (error) {
      return Promise.reject(this.#failure(error, own, parameters))
    }
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const own = plan as SqlitePlan
    if (own.writes) throw new TypeError('Only a select can be streamed')
    this.#assertRunning()
    let read: OpenRead | undefined
    try {
      read = new OpenRead(own, this.#context.connection, parameters)
      this.#reads ??= new Set()
      this.#reads.add(read)
      for await (const batch of batches(read)) {
        yield batch
        this.#assertRunning()
      }
    } catch (error) {
      throw this.#failure(error, own, parameters)
    } finally {
      if (read !== undefined) {
        this.#reads?.delete(read)
        read.close()
      }
    }
  }

  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#do(() => {
      this.#detachReads()
      this.#openSavepoints()
      return runSql(this.#context.connection.database, text, parameters)
    })
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    const { database } = this.#context.connection
    const savepoint: Savepoint = { name: `s${this.#savepoints.length}`, isOpen: false }
    this.#savepoints.push(savepoint)
    try {
      const value = await work()
      if (savepoint.isOpen) this.#do(() => database.exec(`release ${savepoint.name}`))
      else this.#assertRunning()
      return value
    } catch (error) {
      if (savepoint.isOpen && !this.#ended && database.inTransaction) {
        this.#detachReads()
        database.exec(`rollback to ${savepoint.name}; release ${savepoint.name}`)
      }
      throw error
    } finally {
      this.#savepoints.pop()
    }
  }

  /** Sets the savepoints that nothing was done in so far; one that nothing is ever done in costs nothing. */
  #openSavepoints(): void {
    for (const savepoint of this.#savepoints) {
      if (savepoint.isOpen) continue
      this.#context.connection.database.exec(`savepoint ${savepoint.name}`)
      savepoint.isOpen = true
    }
  }

  #applyChanges(changes: readonly SchemaChange[], models: Models | undefined): void {
    this.#assertWritable()
    this.#detachReads()
    this.#openSavepoints()
    this.#context.applyChanges(changes, models)
  }

  #do<T>(run: () => T): T {
    this.#assertRunning()
    try {
      return run()
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Streams that are open go on with the rows as they are now: SQLite leaves open what they would see of a write. */
  #detachReads(): void {
    for (const read of this.#reads ?? []) read.detach()
  }

  /** Some errors, such as a full disk, make SQLite end the transaction by itself. */
  #failure(error: unknown, plan?: SqlitePlan, parameters: readonly unknown[] = []): unknown {
    const { failures, connection } = this.#context
    const { database } = connection
    this.#rolledBack = !this.#ended && !database.inTransaction
    return failures.translate(
      error,
      plan === undefined ? undefined : { statement: plan.statement, parameters, database },
    )
  }

  #assertRunning(): void {
    if (this.#ended) throw this.#reason ?? hasEnded()
    if (this.#rolledBack) throw wasRolledBack()
  }

  #assertWritable(): void {
    if (!this.#context.readOnly) return
    throw new StorageError('READ_ONLY', 'This transaction is read-only.', {
      hint: 'Open it without readOnly to write.',
    })
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function hasEnded(): ConfigurationError {
  return new ConfigurationError('The transaction has ended; nothing can be done in it any more.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Await every call inside the transaction.',
  })
}

/** What follows must not run outside of the transaction. */
function wasRolledBack(): StorageError {
  return new StorageError('TRANSACTION_FAILED', 'SQLite has rolled the transaction back after an earlier error.', {
    hint: 'Let the first error leave the transaction.',
  })
}
