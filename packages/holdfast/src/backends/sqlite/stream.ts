import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Row } from '../../backend/index.ts'
import type { SqliteConnection } from './connection.ts'
import type { ReadPlan } from './plan.ts'

/** How many rows a stream gives at a time. */
export const BATCH_ROWS = 1_000

/**
 * A read in progress on a connection. While it is open the connection cannot write; `detach` reads what is left, so that it can.
 */
export class OpenRead {
  readonly #readRow: ReadPlan['readRow']
  #rows: IterableIterator<unknown> | Iterator<unknown>

  constructor(plan: ReadPlan, connection: SqliteConnection, parameters: readonly unknown[]) {
    this.#readRow = plan.readRow
    this.#rows = plan.iterate(connection, parameters)
  }

  /** The next rows; none at the end. */
  next(): Row[] {
    const batch: Row[] = []
    while (batch.length < BATCH_ROWS) {
      const { done, value } = this.#rows.next()
      if (done === true) break
      batch.push(this.#readRow(value as unknown[]))
    }
    return batch
  }

  /** Reads what is left, as it is now, and frees the connection. */
  detach(): void {
    this.#rows = [...(this.#rows as IterableIterator<unknown>)].values()
  }

  /** Frees the connection. */
  close(): void {
    this.#rows.return?.()
  }
}

/** Gives batch after batch, and lets the event loop turn in between. */
export async function* batches(read: OpenRead): AsyncGenerator<readonly Row[], void, undefined> {
  for (let batch = read.next(); batch.length > 0; batch = read.next()) {
    yield batch
    await nextTurn()
  }
}
