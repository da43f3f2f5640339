import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Database, Driver, OpenOptions, PreparedStatement } from './driver.ts'

/** SQLite through what Node brings along. */
export const nodeSqlite: Driver = {
  name: 'node:sqlite',
  sqliteVersion: process.versions['sqlite'] ?? 'unknown',
  open,
  codeOf: (error) => {
    const { errcode } = error as { errcode?: unknown }
    return typeof errcode === 'number' ? (CODES[errcode] ?? CODES[errcode & 0xff] ?? `SQLITE_${errcode}`) : undefined
  },
}

/** The result codes that mean something to us, by https://sqlite.org/rescode.html. */
const CODES: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  19: 'SQLITE_CONSTRAINT',
  26: 'SQLITE_NOTADB',
  275: 'SQLITE_CONSTRAINT_CHECK',
  787: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  1299: 'SQLITE_CONSTRAINT_NOTNULL',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
  2579: 'SQLITE_CONSTRAINT_ROWID',
  3091: 'SQLITE_CONSTRAINT_DATATYPE',
}

function open(path: string, { readOnly = false }: OpenOptions = {}): Database {
  const database = new DatabaseSync(path, { readOnly })
  return {
    get inTransaction() {
      return database.isTransaction
    },
    prepareRead: (text) => {
      const statement = database.prepare(text)
      statement.setReturnArrays(true)
      return statement as unknown as PreparedStatement
    },
    prepareWrite: (text) => database.prepare(text) as unknown as PreparedStatement,
    exec: (text) => {
      database.exec(text)
    },
    query: (text, values) => {
      const statement = database.prepare(text)
      const bound = values as SQLInputValue[]
      if (statement.columns().length === 0) return { rows: [], changes: Number(statement.run(...bound).changes) }
      // Rows come without a prototype; others give plain objects.
      return { rows: statement.all(...bound).map((row) => ({ ...row })), changes: 0 }
    },
    close: () => {
      database.close()
    },
  }
}
