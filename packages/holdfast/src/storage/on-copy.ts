import type { BackendFactory, DatabaseCopy } from '../backend/index.ts'
import type { CopyProgress } from '../migrations/index.ts'
import type { Schema } from '../schema/index.ts'
import { openUnfitted } from './open.ts'
import type { Storage } from './storage.ts'
import type { StorageOptions } from './storage-options.ts'
import { backendOf } from './targets.ts'

/** How a database is copied. */
export interface CopyOptions {
  /** The most rows that are copied one by one, where the database cannot copy itself because others are connected. */
  readonly most: number
  readonly onProgress?: (progress: CopyProgress) => void
}

/**
 * Opens a copy of a database for as long as `work` takes; the database itself is only read. It copies itself where it can; else the applied
 * migrations are applied to an empty one and the rows are copied.
 */
export async function onCopy<const S extends Schema, T>(
  target: string,
  options: StorageOptions<S>,
  { most, onProgress }: CopyOptions,
  work: (storage: Storage<S>) => Promise<T>,
): Promise<T> {
  const factory = await backendOf(target, options)
  const copy = await copyOf(factory)
  try {
    const storage = await openUnfitted(copy.backend, options)
    try {
      if (!copy.filled) {
        const original = await openUnfitted(target, options)
        try {
          await storage.migrations.copyFrom(original.migrations, { most, ...(onProgress && { onProgress }) })
        } finally {
          await original.close()
        }
      }
      return await work(storage)
    } finally {
      await storage.close()
    }
  } finally {
    await copy.remove()
  }
}

async function copyOf(factory: BackendFactory): Promise<DatabaseCopy> {
  const backend = factory({ models: new Map() })
  return (await backend.copy?.()) ?? { backend: factory, filled: false, remove: async () => undefined }
}
