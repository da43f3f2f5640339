import type { Clock } from '../base/clock.ts'
import { ConfigurationError, StorageError } from '../base/errors.ts'
import { type Entry, FOREVER, type KeyedEntry, markerUntil, newGeneration } from './entry.ts'
import { type CacheKey, CLEARED, keyOf, type StoredKey, storedKey, tagRow } from './key.ts'
import type { KeyvStore } from './keyv-store.ts'
import { type Found, type Marks, NOTHING, type SecondLevel, type Standing } from './second-level.ts'

/** How long a deleted entry leaves a trace, by which late loads are known. */
const BURIED_MS = 600_000

/** An entry as it is stored; without `freshUntil` it is the trace of a deleted one, or a marker. */
interface Stored {
  readonly longKey?: string
  readonly value?: unknown
  readonly freshUntil?: number
  readonly keepUntil: number
  readonly generation: number
  readonly epoch?: number
  readonly marks?: Marks
}

/** The entries of one cache in a Keyv store, which it may share with others. Keyv cannot compare and set: see `writeLoaded`. */
export class KeyvLevel implements SecondLevel {
  readonly rememberedMs: number = BURIED_MS / 2
  readonly #store: KeyvStore
  readonly #cache: string
  readonly #prefix: string
  readonly #clock: Clock
  #failures = 0
  #failure: unknown

  constructor(store: KeyvStore, cache: string, clock: Clock) {
    this.#store = store
    this.#cache = cache
    // No name is the beginning of another one with its colon.
    this.#prefix = `${encodeURIComponent(cache)}:`
    this.#clock = clock
    // Some calls of Keyv tell of a failure in no other way.
    store.on('error', (error) => {
      this.#failures++
      this.#failure = error
    })
  }

  async read(key: CacheKey): Promise<Found> {
    return (await this.readMany([key]))[0] as Found
  }

  async readMany(keys: readonly CacheKey[]): Promise<Found[]> {
    const [cleared, ...stored] = await this.#get([CLEARED, ...keys.map((key) => storedKey(key).key)])
    const tags = tagsOf(stored)
    const standing = tags.length === 0 ? { epoch: cleared?.generation ?? 0, marks: {} } : await this.standing(tags)
    return stored.map((one) =>
      one === undefined ? NOTHING : { entry: this.#entryOf(one, standing), generation: one.generation },
    )
  }

  async standing(tags: readonly string[]): Promise<Standing> {
    const [cleared, ...found] = await this.#get([CLEARED, ...tags.map((tag) => tagRow(tag).key)])
    const marks = Object.fromEntries(tags.map((tag, index) => [tag, found[index]?.generation ?? 0]))
    return { epoch: cleared?.generation ?? 0, marks }
  }

  async write(entries: readonly KeyedEntry[]): Promise<void> {
    if (entries.length === 0) return
    const standing = await this.standing([...new Set(entries.flatMap(({ tags }) => tags))])
    await this.#put(entries.map((entry) => storedOf(entry, standing)))
  }

  /** Between the look and the write another process may write too; within this one, writes are in order. */
  async writeLoaded(entry: KeyedEntry, seen: number, standing: Standing): Promise<boolean> {
    const [there] = await this.#get([storedKey(entry.key).key])
    if ((there?.generation ?? 0) !== seen) return false
    await this.#put([storedOf(entry, standing)])
    return true
  }

  async delete(key: CacheKey): Promise<boolean> {
    const stored = storedKey(key)
    const { entry } = await this.read(key)
    await this.#put([[stored, { keepUntil: this.#clock.now() + BURIED_MS, generation: newGeneration() }]])
    return entry?.value !== undefined && entry.freshUntil > this.#clock.now()
  }

  async clear(): Promise<void> {
    const epoch = newGeneration()
    await this.#put([
      [
        { key: CLEARED, longKey: null },
        { keepUntil: FOREVER, generation: epoch },
      ],
    ])
    if (this.#store.iterator === undefined) return
    for await (const { key, stored } of this.#all()) {
      const isEntry = keyOf({ key, longKey: stored.longKey ?? null }) !== undefined
      if (isEntry && stored.epoch !== epoch) await this.#store.delete(this.#prefix + key)
    }
  }

  async invalidate(tags: readonly string[]): Promise<void> {
    const keepUntil = markerUntil(this.#clock.now())
    await this.#put(tags.map((tag) => [tagRow(tag), { keepUntil, generation: newGeneration() }]))
  }

  async *entries(): AsyncGenerator<KeyedEntry> {
    for await (const { key, stored } of this.#all()) {
      const own = keyOf({ key, longKey: stored.longKey ?? null })
      if (own === undefined) continue
      const entry = this.#entryOf(stored, await this.standing(tagsOf([stored])))
      if (entry?.value !== undefined && entry.freshUntil > this.#clock.now()) yield { ...entry, key: own }
    }
  }

  /** Everything of this cache that is in the store, by the keys it is stored under. */
  async *#all(): AsyncGenerator<{ readonly key: string; readonly stored: Stored }> {
    if (this.#store.iterator === undefined) {
      throw new ConfigurationError(`The Keyv store of the cache ${this.#cache} cannot say what it holds.`, {
        hint: 'Ask for single keys, or use a store with an iterator.',
      })
    }
    for await (const [key, text] of this.#store.iterator() as AsyncIterable<[string, unknown]>) {
      const stored = typeof key === 'string' && key.startsWith(this.#prefix) ? parse(text) : undefined
      if (stored !== undefined) yield { key: key.slice(this.#prefix.length), stored }
    }
  }

  async #get(keys: readonly string[]): Promise<(Stored | undefined)[]> {
    const found = await this.#asked(() => this.#store.get(keys.map((key) => this.#prefix + key)))
    return keys.map((_, index) => parse((found as unknown[] | undefined)?.[index]))
  }

  async #put(entries: readonly (readonly [StoredKey, Stored])[]): Promise<void> {
    const now = this.#clock.now()
    const writes = entries.map(async ([{ key, longKey }, stored]) => {
      const text = JSON.stringify(longKey === null ? stored : { ...stored, longKey })
      const ttlMs = stored.keepUntil === FOREVER ? undefined : stored.keepUntil - now
      const done = await this.#asked(() => this.#store.set(this.#prefix + key, text, ttlMs))
      if (done === false) throw this.#failed()
    })
    await Promise.all(writes)
  }

  /** Keyv tells of some failures with an event alone, and answers as if there was nothing. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    const before = this.#failures
    try {
      const answer = await ask()
      if (this.#failures === before) return answer
    } catch (error) {
      this.#failure = error
    }
    throw this.#failed()
  }

  #failed(): StorageError {
    return new StorageError('DRIVER', `The Keyv store of the cache ${this.#cache} failed.`, {
      hint: 'See the cause; the cache goes on without the store where it can.',
      retryable: true,
      cause: this.#failure,
    })
  }

  #entryOf({ value, freshUntil, keepUntil, generation, epoch, marks = {} }: Stored, now: Standing): Entry | undefined {
    if (freshUntil === undefined || keepUntil <= this.#clock.now() || epoch !== now.epoch) return undefined
    const tags = Object.keys(marks)
    if (tags.some((tag) => marks[tag] !== now.marks[tag])) return undefined
    return { value, freshUntil, keepUntil, generation, tags }
  }
}

function storedOf({ key, tags, ...entry }: KeyedEntry, { epoch, marks }: Standing): [StoredKey, Stored] {
  const own = tags.length === 0 ? {} : { marks: Object.fromEntries(tags.map((tag) => [tag, marks[tag] ?? 0])) }
  return [storedKey(key), { ...entry, epoch, ...own }]
}

function tagsOf(stored: readonly (Stored | undefined)[]): string[] {
  return [...new Set(stored.flatMap((one) => Object.keys(one?.marks ?? {})))]
}

/** What is stored; undefined for what other hands made unreadable, in whose place a load puts what it finds. */
function parse(text: unknown): Stored | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const stored = JSON.parse(text) as Stored | null
    return typeof stored?.generation === 'number' ? stored : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
