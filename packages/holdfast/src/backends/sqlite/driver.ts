/** The drivers there are, by the packages they come in. */
export type DriverName = 'better-sqlite3' | 'node:sqlite'

/** A prepared statement, as both drivers have it. */
export interface PreparedStatement {
  /** The first row as the list of its values. */
  get(...values: readonly unknown[]): unknown
  /** All rows, each as the list of its values. */
  all(...values: readonly unknown[]): unknown[]
  /** The rows one by one. Leaving the loop frees the connection. */
  iterate(...values: readonly unknown[]): IterableIterator<unknown>
  run(...values: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
}

/** An open connection. Everything it does is synchronous. */
export interface Database {
  readonly inTransaction: boolean
  /** Prepares a statement that gives rows; they are read as lists, which is faster than objects with both drivers. */
  prepareRead(text: string): PreparedStatement
  /** Prepares a statement that gives no rows. */
  prepareWrite(text: string): PreparedStatement
  /** Runs statements that take no parameters. */
  exec(text: string): void
  /** Runs one statement as it stands; its rows are objects. */
  query(text: string, values: readonly unknown[]): { rows: Record<string, unknown>[]; changes: number }
  close(): void
}

/** How a connection is opened. */
export interface OpenOptions {
  readonly readOnly?: boolean
}

/** One way to SQLite. */
export interface Driver {
  readonly name: DriverName
  /** The version of the SQLite inside. */
  readonly sqliteVersion: string
  open(path: string, options?: OpenOptions): Database
  /** SQLite's extended result code by name, `SQLITE_BUSY`, of an error of this driver. */
  codeOf(error: unknown): string | undefined
}
