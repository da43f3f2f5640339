import type { BackendFactory } from '../../backend/index.ts'
import { SqliteBackend } from './backend.ts'
import { assertSqliteOptions, type SqliteOptions } from './options.ts'

export type { SqliteOptions } from './options.ts'

/**
 * A backend that keeps everything in one SQLite file, in WAL mode: one writer at a time, and readers that never wait for it.
 * Several processes may use the file, on one machine. Needs the package better-sqlite3, or Node's own node:sqlite.
 *
 * @throws ConfigurationError, code `MISSING_DRIVER`, from `open` when there is neither.
 *
 * @example
 * ```ts
 * const storage = await openStorage(sqlite({ path: './app.db' }), { schema })
 * ```
 */
export function sqlite(options: SqliteOptions): BackendFactory {
  assertSqliteOptions(options)
  return ({ models }) => new SqliteBackend(models, options)
}
