import type { Cache, CacheItem } from './access.ts'
import { type InputContext, readItem, readItems, readKeys, readLoadOptions, readTags } from './input.ts'
import { assertKey, type CacheKey } from './key.ts'
import type { CacheHost, Levels } from './levels.ts'
import { ListedCache } from './listed-cache.ts'
import { Loading } from './loading.ts'
import type { Held } from './memory-level.ts'
import type { EntryOptions, LoadOptions } from './options.ts'
import type { CacheStats } from './stats.ts'

/**
 * A cache as users see it.
 *
 * ```
 *   get ──▶ memory ──miss──▶ second level ──miss──▶ undefined; getOrSet: load, then write to both
 *             ▲ filled with what was found, unless the key was written meanwhile
 * ```
 */
export class NamedCache<V = unknown> extends ListedCache<V> implements Cache<V> {
  readonly name: string
  readonly #host: CacheHost
  readonly #levels: Levels
  readonly #loading: Loading
  readonly #input: InputContext

  constructor(input: InputContext, host: CacheHost, levels: Levels) {
    super()
    this.name = input.name
    this.#host = host
    this.#levels = levels
    this.#input = input
    this.#loading = new Loading(levels, input, host.clock)
  }

  get(key: CacheKey): Promise<V | undefined> {
    try {
      const held = this.#levels.hit(key)
      return (held === undefined ? this.#find(key) : held.give()) as Promise<V | undefined>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #find(key: CacheKey): Promise<unknown> {
    assertKey(this.name, key)
    return (await this.#levels.find(key))?.copy()
  }

  async set(key: CacheKey, value: V, options: EntryOptions = {}): Promise<void> {
    this.#host.assertUsable()
    await this.#levels.write([readItem(this.#input, key, value, options)])
  }

  async delete(key: CacheKey): Promise<boolean> {
    this.#host.assertUsable()
    assertKey(this.name, key)
    return this.#levels.delete(key)
  }

  async clear(): Promise<void> {
    this.#host.assertUsable()
    await this.#levels.clear()
  }

  async getMany(keys: readonly CacheKey[]): Promise<(V | undefined)[]> {
    const wanted = readKeys(this.#input, keys)
    const held = wanted.map((key) => this.#levels.hit(key))
    const missing = [...new Set(wanted.filter((_, index) => held[index] === undefined))]
    const found = new Map<CacheKey, Held | undefined>()
    if (missing.length > 0) {
      for (const [index, one] of (await this.#levels.findMany(missing)).entries()) {
        found.set(missing[index] as CacheKey, one)
      }
    }
    return wanted.map((key, index) => (held[index] ?? found.get(key))?.copy() as V | undefined)
  }

  async setMany(items: Iterable<CacheItem<V> | readonly [CacheKey, V]>): Promise<void> {
    this.#host.assertUsable()
    await this.#levels.write(readItems(this.#input, items))
  }

  async getOrSet(key: CacheKey, load: () => V | Promise<V>, options: LoadOptions = {}): Promise<V> {
    const held = this.#levels.hit(key) ?? (await this.#load(key, load, options))
    return held?.copy() as V
  }

  #load(key: CacheKey, load: () => unknown, options: LoadOptions): Promise<Held | undefined> {
    assertKey(this.name, key)
    readLoadOptions(this.#input, load, options)
    return this.#loading.get({ key, load, options })
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    this.#host.assertUsable()
    const wanted = readTags(this.#input, tags)
    if (wanted.length > 0) await this.#levels.invalidate(wanted)
  }

  protected async *list<T>(values: boolean, pick: (key: CacheKey, value: V) => T): AsyncGenerator<T> {
    this.#host.assertUsable()
    for await (const { key, value } of this.#levels.entries(values)) yield pick(key, value as V)
  }

  stats(): CacheStats {
    return this.#levels.counts.read(this.#levels)
  }
}
