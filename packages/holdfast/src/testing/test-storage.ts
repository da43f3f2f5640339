import type { Schema } from '../schema/index.ts'
import { type NoSchema, openStorage, type Storage, type StorageOptions } from '../storage/index.ts'

/**
 * An empty storage in memory for a test. It keeps the schema's rules and order, so that what passes here passes on a database: the same
 * conformance suite holds on both.
 *
 * @example
 * ```ts
 * await using storage = await createTestStorage({ schema })
 * ```
 */
export function createTestStorage<const S extends Schema = NoSchema>(
  options: StorageOptions<S> = {},
): Promise<Storage<S>> {
  return openStorage('memory:', { autoCreate: true, ...options })
}
