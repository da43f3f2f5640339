import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { BackendFactory, DatabaseCopy } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import { Failures } from './failures.ts'
import { loadDriver } from './load-driver.ts'
import { claimFile } from './open-files.ts'
import { fileOf, IN_MEMORY } from './opening.ts'
import type { SqliteOptions } from './options.ts'

/** Copies a file beside it, by SQLite itself and so as of one moment; the original is only read. A database in memory has no copy. */
export async function copyDatabase(
  options: SqliteOptions,
  models: Models,
  make: (options: SqliteOptions) => BackendFactory,
): Promise<DatabaseCopy> {
  if (options.path === IN_MEMORY) return { backend: make(options), filled: false, remove: async () => undefined }
  const driver = await loadDriver(options.driver)
  const path = fileOf(options.path, true)
  const copy = `${path}.copy-${randomUUID()}`
  const release = claimFile(path, driver.name)
  try {
    // A connection that may only read cannot make the other file; this one writes nothing to the first.
    const database = driver.open(path)
    try {
      database.exec(`vacuum into '${copy.replaceAll("'", "''")}'`)
    } finally {
      database.close()
    }
  } catch (error) {
    await removeFiles(copy)
    throw new Failures(driver, models).translate(error)
  } finally {
    release()
  }
  return { backend: make({ ...options, path: copy, readOnly: false }), filled: true, remove: () => removeFiles(copy) }
}

async function removeFiles(path: string): Promise<void> {
  await Promise.all(['', '-wal', '-shm', '-journal'].map((ending) => rm(`${path}${ending}`, { force: true })))
}
