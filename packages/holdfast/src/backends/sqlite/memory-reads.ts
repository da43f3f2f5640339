import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection, Result, Row, TransactionOptions } from '../../backend/index.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import type { ReadPlan } from './plan.ts'
import type { Reads } from './reads.ts'
import { BATCH_ROWS } from './stream.ts'
import type { Writer } from './writer.ts'

/**
 * Reads of a database in memory, which has one connection: they wait while a transaction that writes is open, as they would see
 * what it has not committed.
 */
export class MemoryReads implements Reads {
  readonly #writer: Writer
  readonly #failures: Failures

  constructor(writer: Writer, failures: Failures) {
    this.#writer = writer
    this.#failures = failures
  }

  execute(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result> {
    return this.#writer.use((connection) => this.#run(plan, connection, parameters))
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

  use<T>(run: (connection: SqliteConnection) => T): Promise<T> {
    return this.#writer.use(run)
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
