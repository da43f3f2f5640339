import { sql } from 'kysely'
import { sqliteDialect } from '../sql/index.ts'
import type { Database, PreparedStatement } from './driver.ts'

/** How long a size is believed. */
const FRESH_MS = 1_000

interface Size {
  readonly ask: PreparedStatement
  rows: number
  askedAt: number
}

/** Roughly how many rows tables have: the greatest rowid, which costs no more to find than one row. */
export class TableSizes {
  readonly #database: Database
  readonly #sizes = new Map<string, Size>()

  constructor(database: Database) {
    this.#database = database
  }

  /** The size of a table. */
  readonly of = (table: string): number => {
    const size = this.#sizes.get(table) ?? this.#add(table)
    const now = performance.now()
    if (now - size.askedAt >= FRESH_MS) {
      const [rows] = size.ask.get() as [number | null]
      size.rows = rows ?? 0
      size.askedAt = now
    }
    return size.rows
  }

  #add(table: string): Size {
    // A rowid may be a bigint that is not a safe number, and node:sqlite refuses to give those.
    const { sql: text } = sql`select cast(max(_rowid_) as real) from ${sql.id(table)}`.compile(sqliteDialect.builder)
    const size = { ask: this.#database.prepareRead(text), rows: 0, askedAt: Number.NEGATIVE_INFINITY }
    this.#sizes.set(table, size)
    return size
  }
}
