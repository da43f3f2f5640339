import type { Connection, Plan, Result, Row, SchemaChange, SchemaEditor } from '../../backend/index.ts'
import { ConfigurationError, StorageError } from '../../base/errors.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import type { SqlitePlan } from './plan.ts'
import { batches, OpenRead } from './stream.ts'
import { runWhole } from './unit.ts'

/** What a transaction needs to know of its backend. */
export interface TransactionContext {
  readonly connection: SqliteConnection
  readonly failures: Failures
  readonly readOnly: boolean
  /** Edits the schema on the transaction's connection. */
  applyChanges(changes: readonly SchemaChange[]): void
}

/** What `work` is given: everything runs on the transaction's own connection. */
export class SqliteTransaction implements Connection {
  readonly schema: Pick<SchemaEditor, 'apply'>
  readonly #context: TransactionContext
  readonly #reads = new Set<OpenRead>()
  #savepoints = 0
  #ended = false
  /** Why it ended before its time. */
  #reason: unknown

  constructor(context: TransactionContext) {
    this.#context = context
    this.schema = {
      apply: async (changes) => this.#guard(undefined, [], () => this.#write(() => context.applyChanges(changes))),
    }
  }

  /** Runs `work` to its end, or until the signal aborts: then it rejects with its reason, and `work` can do nothing more. */
  async run<T>(work: (connection: Connection) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      const running = work(this)
      return await (signal === undefined ? running : Promise.race([running, aborted(signal)]))
    } finally {
      this.#ended = true
      if (signal?.aborted === true) this.#reason = signal.reason
      for (const read of this.#reads) read.close()
    }
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    const own = plan as SqlitePlan
    const { connection } = this.#context
    try {
      return Promise.resolve(
        this.#guard(own, parameters, () => {
          if (!own.writes) return own.run(connection, parameters)
          return this.#write(() => runWhole(own, connection, parameters))
        }),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const own = plan as SqlitePlan
    if (own.writes) throw new TypeError('Only a select can be streamed')
    const read = this.#guard(own, parameters, () => new OpenRead(own, this.#context.connection, parameters))
    this.#reads.add(read)
    try {
      for await (const batch of batches(read)) {
        yield batch
        this.#assertRunning()
      }
    } finally {
      this.#reads.delete(read)
      read.close()
    }
  }

  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#guard(undefined, [], () => {
      this.#detachReads()
      const { rows, changes } = this.#context.connection.database.query(text, parameters)
      return { rows, count: rows.length > 0 ? rows.length : changes }
    })
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const { database } = this.#context.connection
    const name = `s${this.#savepoints++}`
    this.#detachReads()
    this.#guard(undefined, [], () => database.exec(`savepoint ${name}`))
    try {
      const value = await work()
      this.#guard(undefined, [], () => database.exec(`release ${name}`))
      return value
    } catch (error) {
      if (!this.#ended && database.inTransaction) {
        this.#detachReads()
        database.exec(`rollback to ${name}; release ${name}`)
      }
      throw error
    }
  }

  /** Makes sure that the transaction may write. Streams that are open go on with the rows as they are now: SQLite leaves open what they would see of a write. */
  #write<T>(write: () => T): T {
    if (this.#context.readOnly) throw isReadOnly()
    this.#detachReads()
    return write()
  }

  #detachReads(): void {
    for (const read of this.#reads) read.detach()
  }

  #guard<T>(plan: SqlitePlan | undefined, parameters: readonly unknown[], run: () => T): T {
    const { failures, connection } = this.#context
    this.#assertRunning()
    try {
      return run()
    } catch (error) {
      const attempt =
        plan === undefined ? undefined : { statement: plan.statement, parameters, database: connection.database }
      throw failures.translate(error, attempt)
    }
  }

  #assertRunning(): void {
    if (this.#ended) throw this.#reason ?? hasEnded()
    if (!this.#context.connection.database.inTransaction) throw wasRolledBack()
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

function isReadOnly(): StorageError {
  return new StorageError('READ_ONLY', 'This transaction is read-only.', { hint: 'Open it without readOnly to write.' })
}

/** SQLite ends a transaction by itself when the disk is full or fails: what follows must not run outside of it. */
function wasRolledBack(): StorageError {
  return new StorageError('TRANSACTION_FAILED', 'SQLite has rolled the transaction back after an earlier error.', {
    hint: 'Let the first error leave the transaction.',
  })
}
