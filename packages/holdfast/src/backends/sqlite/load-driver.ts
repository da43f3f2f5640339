import { ConfigurationError } from '../../base/errors.ts'
import type { Driver, DriverName } from './driver.ts'

/**
 * The driver of this name; better-sqlite3 unless another is wanted, and node:sqlite where that is not installed.
 *
 * @throws ConfigurationError, code `MISSING_DRIVER`, naming the package to install.
 */
export async function loadDriver(wanted?: DriverName): Promise<Driver> {
  if (wanted === 'node:sqlite') return loadNodeSqlite()
  try {
    return (await import('./better-sqlite3.ts')).betterSqlite3
  } catch (error) {
    if (!isMissing(error)) throw missing('better-sqlite3 is installed but cannot be loaded.', error)
    if (wanted !== undefined) throw missing('better-sqlite3 is not installed.', error)
    return loadNodeSqlite()
  }
}

async function loadNodeSqlite(): Promise<Driver> {
  try {
    return (await import('./node-sqlite.ts')).nodeSqlite
  } catch (error) {
    throw missing('There is no driver for SQLite: neither better-sqlite3 nor node:sqlite.', error)
  }
}

function isMissing(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return (
    (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message?.includes('better-sqlite3') === true
  )
}

function missing(message: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(message, {
    code: 'MISSING_DRIVER',
    hint: 'Install it with `npm install better-sqlite3`, or run on Node 22.19 or later, which brings node:sqlite.',
    cause,
  })
}
