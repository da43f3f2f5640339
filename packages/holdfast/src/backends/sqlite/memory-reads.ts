import { setImmediate as nextTurn } from 'node:timers/promises'
import { Deadline } from '../../backend/deadline.ts'
import type { Connection, Result, Row, TransactionOptions } from '../../backend/index.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import type { ReadPlan } from './plan.ts'
import type { Reads } from './reads.ts'
import { BATCH_ROWS } from './stream.ts'
import type { Writer } from './writer.ts'

/**
 * Reads of a database in memory, which has one connection: they wait while a transaction is open, as they would see what it has
 * not committed. A transaction that in its turn waits for such a read would wait for ever, so the wait has an end.
 */
export class MemoryReads implements Reads {
  readonly #writer: Writer
  readonly #failures: Failures
  readonly #timeoutMs: number

  constructor(writer: Writer, failures: Failures, timeoutMs: number) {
    this.#writer = writer
    this.#failures = failures
    this.#timeoutMs = timeoutMs
  }

  execute(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result> {
    const run = (connection: SqliteConnection): Result => this.#run(plan, connection, parameters)
    try {
      const result = this.#writer.useIfFree(run)
      return result === undefined ? this.use(run) : Promise.resolve(result)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** All rows are read at once: the data is in memory already, and the connection must be free for what the loop does. */
  async *stream(plan: ReadPlan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const { rows } = await this.execute(plan, parameters)
    for (let at = 0; at < rows.length; at += BATCH_ROWS) {
      yield rows.slice(at, at + BATCH_ROWS)
      await nextTurn()
    }
  }

  transaction<T>(options: TransactionOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#writer.transaction({ ...options, readOnly: true }, work)
  }

  async use<T>(run: (connection: SqliteConnection) => T): Promise<T> {
    const deadline = new Deadline(this.#timeoutMs, 'Waiting for the open transaction of a database in memory')
    try {
      return await this.#writer.use(run, deadline.signal)
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  async close(): Promise<void> {}

  #run(plan: ReadPlan, connection: SqliteConnection, parameters: readonly unknown[]): Result {
    try {
      return plan.run(connection, parameters)
    } catch (error) {
      throw this.#failures.translate(error, { statement: plan.statement, parameters, database: connection.database })
    }
  }
}
