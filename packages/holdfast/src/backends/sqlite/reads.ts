import { Deadline } from '../../backend/deadline.ts'
import type { Connection, Result, Row, TransactionOptions } from '../../backend/index.ts'
import { untilFree } from './busy.ts'
import { SqliteConnection } from './connection.ts'
import type { Database } from './driver.ts'
import { type Failures, isClosed } from './failures.ts'
import type { ReadPlan } from './plan.ts'
import { Readers } from './readers.ts'
import { batches, OpenRead } from './stream.ts'
import { TableSizes } from './table-sizes.ts'
import { SqliteTransaction } from './transaction.ts'
import { WorkerUnavailable } from './worker.ts'
import type { Workers } from './workers.ts'

/**
 * The most memory for pages of the file on the main thread, of a million small records or so; drivers have 2 to 16 MB by themselves. It is
 * taken page by page, only by what is read here, and given back with every commit, after which SQLite reads anew.
 */
const CACHE_KB = 64_000

/** How a database is read outside of transactions that write. */
export interface Reads {
  /** Executes a read. */
  execute(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result>
  /** Reads batch by batch, from one snapshot. */
  stream(plan: ReadPlan, parameters: readonly unknown[]): AsyncIterable<readonly Row[]>
  /** Runs a transaction that only reads. */
  transaction<T>(options: TransactionOptions, work: (connection: Connection) => Promise<T>): Promise<T>
  /** Runs something short on a connection that only reads. */
  use<T>(run: (connection: SqliteConnection) => T): Promise<T>
  /** Lets what runs finish, and closes. */
  close(): Promise<void>
}

/** What reads of a file work with. */
export interface FileReadsContext {
  readonly open: () => Database
  readonly workers: Workers
  readonly failures: Failures
  readonly busyTimeoutMs: number
}

/**
 * Reads of a file. Short ones run at once on a connection of the main thread: in WAL mode they neither see what is not
 * committed nor wait for a writer. Long ones go to a worker.
 */
export class FileReads implements Reads {
  readonly #context: FileReadsContext
  readonly #main: SqliteConnection
  readonly #readers: Readers
  readonly #sizes: TableSizes
  readonly #running = new Set<Promise<unknown>>()
  #closed = false

  constructor(context: FileReadsContext) {
    this.#context = context
    this.#main = new SqliteConnection(context.open(), { writes: false })
    this.#main.database.exec(`pragma cache_size = -${CACHE_KB}`)
    this.#readers = new Readers(context.open)
    this.#sizes = new TableSizes(this.#main.database)
  }

  execute(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result> {
    try {
      if (plan.single) return Promise.resolve(plan.run(this.#main, parameters))
      if (this.#isHeavy(plan)) return this.#track(this.#inWorker(plan, parameters))
      return Promise.resolve(this.#timed(plan, parameters))
    } catch (error) {
      if (this.#context.failures.isBusy(error)) return this.#track(this.#later(plan, parameters))
      return Promise.reject(this.#translate(error, plan, parameters))
    }
  }

  async *stream(plan: ReadPlan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    try {
      if (this.#isHeavy(plan)) yield* this.#context.workers.stream(plan, parameters)
      else yield* this.#streamHere(plan, parameters)
    } catch (error) {
      throw this.#translate(error, plan, parameters)
    }
  }

  transaction<T>({ timeoutMs }: TransactionOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#track(this.#transaction(timeoutMs, work))
  }

  use<T>(run: (connection: SqliteConnection) => T): Promise<T> {
    return this.#track(this.#untilFree(() => run(this.#main)))
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
    await this.#context.workers.close()
    this.#readers.close()
    this.#main.database.close()
  }

  #isHeavy(plan: ReadPlan): boolean {
    return !plan.single && this.#context.workers.usable && plan.weight.isHeavy(this.#sizes.of)
  }

  #timed(plan: ReadPlan, parameters: readonly unknown[]): Result {
    const started = performance.now()
    const result = plan.run(this.#main, parameters)
    plan.weight.tookOnMainThread(performance.now() - started)
    return result
  }

  async #inWorker(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result> {
    try {
      return await this.#context.workers.read(plan, parameters)
    } catch (error) {
      // Slow is better than not at all.
      if (error instanceof WorkerUnavailable) return plan.run(this.#main, parameters)
      throw this.#translate(error, plan, parameters)
    }
  }

  async #later(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result> {
    try {
      return await this.#untilFree(() => plan.run(this.#main, parameters))
    } catch (error) {
      throw this.#translate(error, plan, parameters)
    }
  }

  async *#streamHere(plan: ReadPlan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const connection = this.#readers.take()
    const read = new OpenRead(plan, connection, parameters)
    try {
      for await (const batch of batches(read)) {
        yield batch
        if (this.#closed) throw isClosed()
      }
    } finally {
      read.close()
      this.#readers.give(connection)
    }
  }

  async #transaction<T>(timeoutMs: number | undefined, work: (connection: Connection) => Promise<T>): Promise<T> {
    const { failures } = this.#context
    const connection = this.#readers.take()
    const deadline = new Deadline(timeoutMs)
    try {
      await this.#untilFree(() => connection.begin()).catch((error: unknown) => {
        throw failures.translate(error)
      })
      const context = { connection, failures, readOnly: true, applyChanges: () => undefined }
      const value = await new SqliteTransaction(context).run(work, deadline.signal)
      connection.commit()
      return value
    } catch (error) {
      connection.rollback()
      throw error
    } finally {
      deadline[Symbol.dispose]()
      this.#readers.give(connection)
    }
  }

  async #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  #untilFree<T>(attempt: () => T): Promise<T> {
    return untilFree(attempt, this.#context.failures, this.#context.busyTimeoutMs)
  }

  #translate(error: unknown, { statement }: ReadPlan, parameters: readonly unknown[]): unknown {
    return this.#context.failures.translate(error, { statement, parameters, database: this.#main.database })
  }
}
