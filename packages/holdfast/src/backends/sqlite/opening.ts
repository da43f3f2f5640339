import { closeSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigurationError, isHoldfastError } from '../../base/errors.ts'
import type { Database, Driver } from './driver.ts'
import type { SqliteOptions } from './options.ts'

/** The path that is a database in memory. */
export const IN_MEMORY = ':memory:'

/**
 * The file of a path, which is made if it is not there: SQLite takes an empty file for an empty database.
 *
 * @throws ConfigurationError when its folder is not there, when it is a folder itself, when it is not there and must be, or cannot be made.
 */
export function fileOf(path: string, mustExist: boolean): string {
  try {
    return existingFile(path, mustExist)
  } catch (cause) {
    if (isHoldfastError(cause)) throw cause
    throw new ConfigurationError(`The SQLite file ${path} cannot be made or looked at: ${(cause as Error).message}.`, {
      hint: 'Check the path, the permissions of its folder, and the room on its disk.',
      cause,
    })
  }
}

function existingFile(path: string, mustExist: boolean): string {
  const file = resolve(path)
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ConfigurationError(`The folder of the SQLite file ${path} does not exist.`, {
      hint: `Create ${dirname(file)}, or choose another path.`,
    })
  }
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) {
    throw new ConfigurationError(`${path} is a folder.`, { hint: 'Name a file, such as app.db.' })
  }
  if (found !== undefined) return file
  if (mustExist) {
    throw new ConfigurationError(`The SQLite file ${path} does not exist.`, {
      hint: 'Open it without readOnly to make it.',
    })
  }
  makeFile(file)
  return file
}

/** Never opens one that exists: closing it again would take away the locks that SQLite holds in this process. */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx'))
  } catch (error) {
    // Another process was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * How long the log grows before it is written back into the file: 16 MB, four times what SQLite does unless told. Pages that are written again
 * and again, as those of a queue are, go back a quarter as often, and each time the disk is waited for.
 */
const LOG_PAGES = 4_000

/** Opens the connection that writes and sets what belongs to it or to the file. */
export function openWriter(driver: Driver, path: string, { durability = 'full' }: SqliteOptions): Database {
  const database = driver.open(path)
  try {
    if (path !== IN_MEMORY) setUpFile(database)
    database.exec(`pragma synchronous = ${durability === 'full' ? 'full' : 'normal'}`)
    // On macOS fsync does not reach the disk; elsewhere this changes nothing.
    if (durability === 'full') database.exec('pragma fullfsync = on; pragma checkpoint_fullfsync = on')
    database.exec(`pragma foreign_keys = on; pragma wal_autocheckpoint = ${LOG_PAGES}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function setUpFile(database: Database): void {
  const [mode] = database.prepareRead('pragma journal_mode = wal').get() as [string]
  if (mode === 'wal') return
  throw new ConfigurationError(`SQLite cannot keep a write-ahead log here; the journal mode stays ${mode}.`, {
    hint: 'Put the file on a local disk: network file systems do not work.',
  })
}

/** Opens a connection that only reads. */
export function openReader(driver: Driver, path: string): Database {
  const database = driver.open(path, { readOnly: true })
  database.exec('pragma query_only = on')
  return database
}

/** Warns once about versions whose WAL-reset bug can lose a commit: https://sqlite.org/wal.html#walresetbug. */
export function warnOfVersion({ sqliteVersion, name }: Driver): void {
  if (warned || !hasWalResetBug(sqliteVersion)) return
  warned = true
  process.emitWarning(
    `SQLite ${sqliteVersion} of ${name} has a rare bug that can corrupt a database several connections write to; 3.51.3 mends it.`,
    { code: 'HOLDFAST_SQLITE_VERSION' },
  )
}

let warned = false

/** Whether a version is one of 3.7.0 to 3.51.2. */
export function hasWalResetBug(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return major === 3 && minor >= 7 && (minor < 51 || (minor === 51 && patch < 3))
}
