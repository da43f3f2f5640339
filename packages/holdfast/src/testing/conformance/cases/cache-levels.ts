import type { Cache, CacheOptions, KeyvStore } from '../../../cache/index.ts'
import { defineSchema } from '../../../schema/index.ts'
import type { NoSchema, Storage } from '../../../storage/index.ts'
import type { ConformanceContext } from '../case.ts'

/** Nothing: caches are not declared. */
export const schema: NoSchema = defineSchema({})

/** The choices of levels, each with the name of its cache. */
function choices(): Record<string, NonNullable<CacheOptions['levels']>> {
  const store = new TestKeyv()
  return {
    memory: ['memory'],
    storage: ['storage'],
    keyv: [store],
    'memory, storage': ['memory', 'storage'],
    'memory, keyv': ['memory', store],
  }
}

/** A store such as an instance of Keyv is. */
class TestKeyv implements KeyvStore {
  readonly #values = new Map<string, unknown>()

  async get(keys: string[]): Promise<unknown> {
    return keys.map((key) => this.#values.get(key))
  }

  async set(key: string, value: unknown): Promise<boolean> {
    this.#values.set(key, value)
    return true
  }

  async delete(key: string): Promise<boolean> {
    return this.#values.delete(key)
  }

  on(): void {}

  async *iterator(): AsyncGenerator<[string, unknown]> {
    yield* [...this.#values]
  }
}

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
  const known = new Set<string>()
  const storage = await open(schema, { clock: { now: () => time.now } })
  return {
    storage,
    time,
    async each(attempt: (cache: Cache<unknown>) => Promise<void>): Promise<void> {
      for (const [name, levels] of Object.entries(choices())) {
        await attempt(storage.cache(name, known.has(name) ? undefined : { ...options, levels }))
        known.add(name)
      }
    },
  }
}

/** A promise, and the function that resolves it. */
export function gate(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>()
}
