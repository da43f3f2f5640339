import { cloneJson } from '../schema/index.ts'
import type { CacheAccess, CacheItem } from './access.ts'
import type { Entry, KeyedEntry } from './entry.ts'
import { type InputContext, loadedEntry, readItem, readItems, readKeys, readLoadOptions, readTags } from './input.ts'
import { assertKey, type CacheKey } from './key.ts'
import { ListedCache } from './listed-cache.ts'
import type { EntryOptions, LoadOptions } from './options.ts'
import type { SecondLevel } from './second-level.ts'

/** Is told what a transaction wrote to a cache, after it did. */
export interface WriteListener {
  wrote(keys: readonly CacheKey[]): void
  cleared(): void
  invalidated(tags: readonly string[]): void
}

/** A cache in a transaction: it sees what the transaction wrote, and memory learns of that when it commits. */
export class TransactionCache<V> extends ListedCache<V> implements CacheAccess<V> {
  readonly #input: InputContext
  readonly #level: SecondLevel
  readonly #listener: WriteListener

  constructor(input: InputContext, level: SecondLevel, listener: WriteListener) {
    super()
    this.#input = input
    this.#level = level
    this.#listener = listener
  }

  async get(key: CacheKey): Promise<V | undefined> {
    assertKey(this.#input.name, key)
    return this.#fresh((await this.#level.read(key)).entry)
  }

  async getMany(keys: readonly CacheKey[]): Promise<(V | undefined)[]> {
    const wanted = readKeys(this.#input, keys)
    const different = [...new Set(wanted)]
    const found = await this.#level.readMany(different)
    const entries = new Map(different.map((key, index) => [key, found[index]?.entry]))
    return wanted.map((key) => this.#fresh(entries.get(key)))
  }

  async set(key: CacheKey, value: V, options: EntryOptions = {}): Promise<void> {
    await this.#write([readItem(this.#input, key, value, options)])
  }

  async setMany(items: Iterable<CacheItem<V> | readonly [CacheKey, V]>): Promise<void> {
    await this.#write(readItems(this.#input, items))
  }

  async delete(key: CacheKey): Promise<boolean> {
    assertKey(this.#input.name, key)
    const deleted = await this.#level.delete(key)
    this.#listener.wrote([key])
    return deleted
  }

  async clear(): Promise<void> {
    await this.#level.clear()
    this.#listener.cleared()
  }

  async getOrSet(key: CacheKey, load: () => V | Promise<V>, options: LoadOptions = {}): Promise<V> {
    assertKey(this.#input.name, key)
    readLoadOptions(this.#input, load, options)
    const { entry } = await this.#level.read(key)
    if (entry !== undefined && this.#isFresh(entry)) return cloneJson(entry.value) as V
    const loaded = loadedEntry(this.#input, key, await load(), options)
    if (loaded === undefined) return undefined as V
    await this.#write([loaded])
    return cloneJson(loaded.value) as V
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    const wanted = readTags(this.#input, tags)
    if (wanted.length === 0) return
    await this.#level.invalidate(wanted)
    this.#listener.invalidated(wanted)
  }

  protected async *list<T>(values: boolean, pick: (key: CacheKey, value: V) => T): AsyncGenerator<T> {
    for await (const entry of this.#level.entries(values)) {
      if (this.#isFresh(entry)) yield pick(entry.key, (values ? cloneJson(entry.value) : undefined) as V)
    }
  }

  async #write(entries: readonly KeyedEntry[]): Promise<void> {
    await this.#level.write(entries)
    this.#listener.wrote(entries.map(({ key }) => key))
  }

  #isFresh({ freshUntil }: Entry): boolean {
    return freshUntil > this.#input.now()
  }

  #fresh(entry: Entry | undefined): V | undefined {
    return entry !== undefined && this.#isFresh(entry) ? (cloneJson(entry.value) as V) : undefined
  }
}
