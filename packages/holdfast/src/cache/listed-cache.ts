import { ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'
import type { CacheKey } from './key.ts'
import { Listing } from './listing.ts'

/** What every cache does by going through what it holds. */
export abstract class ListedCache<V> {
  abstract get(key: CacheKey): Promise<V | undefined>

  /**
   * Goes through what is fresh.
   *
   * @param values whether values are wanted; `pick` is given none otherwise, and else copies.
   */
  protected abstract list<T>(values: boolean, pick: (key: CacheKey, value: V) => T): AsyncGenerator<T>

  async has(key: CacheKey): Promise<boolean> {
    return (await this.get(key)) !== undefined
  }

  async size(): Promise<number> {
    let size = 0
    for await (const _ of this.list(false, () => undefined)) size++
    return size
  }

  keys(): Listing<CacheKey> {
    return new Listing(() => this.list(false, (key) => key))
  }

  values(): Listing<V> {
    return new Listing(() => this.list(true, (_, value) => value))
  }

  entries(): Listing<[CacheKey, V]> {
    return new Listing(() => this.list(true, (key, value): [CacheKey, V] => [key, value]))
  }

  async forEach(callback: (value: V, key: CacheKey) => unknown): Promise<void> {
    if (typeof callback !== 'function') {
      const reason = `must be a function, got ${describe(callback)}`
      throw new ValidationError('Going through a cache was refused', [{ path: 'callback', reason }])
    }
    for await (const [key, value] of this.entries()) await callback(value, key)
  }
}
