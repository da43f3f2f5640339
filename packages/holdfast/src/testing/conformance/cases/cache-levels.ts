import type { Cache, CacheOptions } from '../../../cache/index.ts'
import { defineSchema } from '../../../schema/index.ts'
import type { NoSchema, Storage } from '../../../storage/index.ts'
import type { ConformanceContext } from '../case.ts'

/** Nothing: caches are not declared. */
export const schema: NoSchema = defineSchema({})

const LEVELS: readonly NonNullable<CacheOptions['levels']>[] = [['memory'], ['storage'], ['memory', 'storage']]

/** A storage whose time a case sets, with a cache for each choice of levels. */
export async function openCaches(
  open: ConformanceContext['open'],
  options: CacheOptions = {},
): Promise<{
  readonly storage: Storage
  readonly time: { now: number }
  /** Tries something on each cache, one after the other. */
  each(attempt: (cache: Cache<unknown>) => Promise<void>): Promise<void>
}> {
  const time = { now: Date.parse('2026-03-01T10:00:00Z') }
  const storage = await open(schema, { clock: { now: () => time.now } })
  return {
    storage,
    time,
    async each(attempt: (cache: Cache<unknown>) => Promise<void>): Promise<void> {
      for (const levels of LEVELS) await attempt(storage.cache(levels.join('+'), { ...options, levels }))
    },
  }
}

/** A promise, and the function that resolves it. */
export function gate(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>()
}
