import type { Schema } from '../schema/index.ts'
import { type NoSchema, openStorage, type Storage, type StorageOptions } from '../storage/index.ts'
import { onEmptyDatabase } from './empty-database.ts'

/**
 * An empty storage for a test, in memory unless the environment variable `TEST_STORAGE_URL` names another place: a Postgres server, on which
 * each storage gets a database of its own, or a SQLite file, beside which it gets a file. Both are removed when the storage is closed.
 *
 * Memory keeps the schema's rules and order, so that what passes there passes on a database: the same conformance suite holds on both.
 *
 * @throws ConfigurationError for a TEST_STORAGE_URL that names no backend; ConnectionError.
 *
 * @example
 * ```ts
 * await using storage = await createTestStorage({ schema })
 * ```
 */
export async function createTestStorage<const S extends Schema = NoSchema>(
  options: StorageOptions<S> = {},
): Promise<Storage<S>> {
  const url = process.env['TEST_STORAGE_URL'] || 'memory:'
  return openStorage(await onEmptyDatabase(url, options), { autoCreate: true, ...options })
}
