import { SqliteConnection } from './connection.ts'
import type { Database } from './driver.ts'

/** How many connections are kept for the next time. */
const KEPT = 2

/** Connections for reads that hold one for longer: streams and read-only transactions, which each see one snapshot. */
export class Readers {
  readonly #open: () => Database
  readonly #idle: SqliteConnection[] = []
  #closed = false

  constructor(open: () => Database) {
    this.#open = open
  }

  /** A connection of one's own. */
  take(): SqliteConnection {
    return this.#idle.pop() ?? new SqliteConnection(this.#open(), { writes: false })
  }

  /** Gives it back, with nothing open on it. */
  give(connection: SqliteConnection): void {
    if (this.#closed || this.#idle.length >= KEPT) connection.database.close()
    else this.#idle.push(connection)
  }

  /** Closes what nobody has; the rest is closed when it is given back. */
  close(): void {
    this.#closed = true
    for (const connection of this.#idle.splice(0)) connection.database.close()
  }
}
