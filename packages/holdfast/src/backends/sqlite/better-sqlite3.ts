import BetterSqlite3 from 'better-sqlite3'
import type { Database, Driver, OpenOptions, PreparedStatement } from './driver.ts'

/** SQLite through the package better-sqlite3. */
export const betterSqlite3: Driver = {
  name: 'better-sqlite3',
  sqliteVersion: versionOf(),
  open,
  codeOf: (error) => (error instanceof BetterSqlite3.SqliteError ? error.code : undefined),
}

function versionOf(): string {
  const database = new BetterSqlite3(':memory:')
  const version = database.prepare('select sqlite_version()').pluck().get() as string
  database.close()
  return version
}

function open(path: string, { readOnly = false }: OpenOptions = {}): Database {
  const database = new BetterSqlite3(path, { readonly: readOnly, timeout: 0 })
  // Otherwise a connection does nothing else while rows are read one by one from it, as streams in transactions do.
  database.unsafeMode(true)
  return {
    get inTransaction() {
      return database.inTransaction
    },
    prepareRead: (text) => database.prepare(text).raw() as unknown as PreparedStatement,
    prepareWrite: (text) => database.prepare(text) as unknown as PreparedStatement,
    exec: (text) => {
      database.exec(text)
    },
    query: (text, values) => {
      const statement = database.prepare(text)
      if (!statement.reader) return { rows: [], changes: statement.run(...values).changes }
      return { rows: statement.all(...values) as Record<string, unknown>[], changes: 0 }
    },
    close: () => {
      database.close()
    },
  }
}
