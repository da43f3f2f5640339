import type { CacheKey } from './key.ts'
import type { Listing } from './listing.ts'
import type { EntryOptions, LoadOptions } from './options.ts'
import type { CacheStats } from './stats.ts'

/** One entry for `setMany`. */
export interface CacheItem<V> extends EntryOptions {
  readonly key: CacheKey
  readonly value: V
}

/** What a cache and a cache in a transaction have in common. */
export interface CacheAccess<V> {
  /** The value under a key while it is fresh; undefined where there is none. It is a copy: what you change in it stays yours. */
  get(key: CacheKey): Promise<V | undefined>
  /** Whether there is a fresh value under a key. */
  has(key: CacheKey): Promise<boolean>
  /**
   * Puts a value under a key.
   *
   * @throws ValidationError naming the path of what JSON cannot hold.
   */
  set(key: CacheKey, value: V, options?: EntryOptions): Promise<void>
  /** Takes a value away; whether there was one. What is being loaded for the key at the time is not kept. */
  delete(key: CacheKey): Promise<boolean>
  /** Takes all values away. */
  clear(): Promise<void>
  /** The values under several keys, in their order, from the second level in one statement. */
  getMany(keys: readonly CacheKey[]): Promise<(V | undefined)[]>
  /** Puts many values, in one statement: `{ key, value, ttlMs }`, or pairs of key and value such as a Map has. */
  setMany(items: Iterable<CacheItem<V> | readonly [CacheKey, V]>): Promise<void>
  /**
   * The value under a key, or what `load` gives, which is put there. Many callers at once share one load, and what it rejects with is not
   * kept.
   *
   * @example
   * ```ts
   * const rate = await rates.getOrSet('EUR', () => fetchRate('EUR'), { ttlMs: 60_000, staleMs: 600_000, tags: ['rates'] })
   * ```
   */
  getOrSet(key: CacheKey, load: () => V | Promise<V>, options?: LoadOptions): Promise<V>
  /** Takes away all values that were put with one of these tags. */
  invalidateTags(tags: readonly string[]): Promise<void>
  /** How many values are fresh. */
  size(): Promise<number>
  /** The keys of fresh values. */
  keys(): Listing<CacheKey>
  /** The fresh values. */
  values(): Listing<V>
  /** The keys with their fresh values. */
  entries(): Listing<[CacheKey, V]>
  /** Calls back with every fresh value, one after the other. */
  forEach(callback: (value: V, key: CacheKey) => unknown): Promise<void>
}

/** A named cache: values by key, in memory and in the database. Made by `storage.cache(name, options)`. */
export interface Cache<V> extends CacheAccess<V> {
  readonly name: string
  /** What this cache has done in this process. */
  stats(): CacheStats
}
