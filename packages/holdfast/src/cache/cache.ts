import type { Clock } from '../base/clock.ts'
import { ConfigurationError, ConnectionError, ValidationError } from '../base/errors.ts'
import type { CacheAccess, CacheItem } from './access.ts'
import { coarse } from './coarse-clock.ts'
import { type Entry, FOREVER, type KeyedEntry } from './entry.ts'
import { type Flight, Flights } from './flights.ts'
import { type InputContext, loadedEntry, readItem, readItems, readKeys, readLoadOptions, readTags } from './input.ts'
import { assertKey, type CacheKey } from './key.ts'
import { Listing } from './listing.ts'
import { Held, MemoryLevel } from './memory-level.ts'
import type { EntryOptions, LoadOptions, ResolvedOptions } from './options.ts'
import type { Follower } from './remote-changes.ts'
import { type Found, NOTHING, type SecondLevel } from './second-level.ts'
import { type CacheStats, Counts } from './stats.ts'

/** How long memory keeps what the second level could not be given. */
const WITHOUT_SECOND_MS = 5_000

/** What a cache needs of the storage it belongs to. */
export interface CacheHost {
  readonly clock: Clock
  /** Undefined where there is memory alone. */
  readonly second: SecondLevel | undefined
  /** @throws where the storage may not be used now. */
  assertUsable(): void
  readonly remote: Remote
}

/** What other processes do to the second level. */
export interface Remote {
  /** Whether memory may be believed. */
  readonly trusted: boolean
  /** Resolves when memory may be believed again. */
  compared(): Promise<void>
  /** Tells other processes that this one wrote. */
  tell(): void
}

/** What was read of the second level. */
interface Read {
  readonly held: Held | undefined
  readonly generation: number
}

/**
 * A named cache: values by key, in memory and in the database. Made by `storage.cache(name, options)`.
 *
 * ```
 *   get ──▶ memory ──miss──▶ second level ──miss──▶ undefined; getOrSet: load, then write to both
 *             ▲ filled with what was found, unless the key was written meanwhile
 * ```
 */
export class Cache<V = unknown> implements CacheAccess<V>, Follower {
  readonly name: string
  readonly #options: ResolvedOptions
  readonly #host: CacheHost
  readonly #remote: Remote
  readonly #clock: Clock
  readonly #memory: MemoryLevel | undefined
  readonly #second: SecondLevel | undefined
  readonly #input: InputContext
  readonly #counts = new Counts()
  readonly #reads = new Flights<Read>()
  readonly #loads = new Flights<Held | undefined>()
  readonly #writes = new Flights<unknown>()

  constructor(name: string, options: ResolvedOptions, host: CacheHost) {
    this.name = name
    this.#options = options
    this.#host = host
    this.#remote = host.remote
    this.#clock = coarse(host.clock)
    this.#second = host.second
    this.#memory = options.levels.includes('memory') ? new MemoryLevel(options) : undefined
    this.#input = { name, options, now: () => host.clock.now() }
  }

  get(key: CacheKey): Promise<V | undefined> {
    try {
      const held = this.#hit(key)
      return (held === undefined ? this.#find(key) : held.give()) as Promise<V | undefined>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async has(key: CacheKey): Promise<boolean> {
    return (await this.get(key)) !== undefined
  }

  async set(key: CacheKey, value: V, options: EntryOptions = {}): Promise<void> {
    this.#host.assertUsable()
    const entry = readItem(this.#input, key, value, options)
    await this.#write([key], () => this.#second?.write([entry]), [entry])
  }

  async delete(key: CacheKey): Promise<boolean> {
    this.#host.assertUsable()
    assertKey(this.name, key)
    const held = this.#memory?.peek(key)
    const here = held?.value !== undefined && this.#isFresh(held)
    return this.#write([key], async () => (this.#second === undefined ? here : this.#second.delete(key)), [])
  }

  async clear(): Promise<void> {
    this.#host.assertUsable()
    this.#drop()
    try {
      await this.#second?.clear()
    } finally {
      this.#drop()
    }
    this.#remote.tell()
  }

  async getMany(keys: readonly CacheKey[]): Promise<(V | undefined)[]> {
    const wanted = readKeys(this.#input, keys)
    const held = wanted.map((key) => this.#hit(key))
    const missing = [...new Set(wanted.filter((_, index) => held[index] === undefined))]
    const found = new Map<CacheKey, Held>()
    if (missing.length > 0 && this.#second !== undefined) await this.#findMany(this.#second, missing, found)
    else this.#counts.misses += missing.length
    return wanted.map((key, index) => (held[index] ?? found.get(key))?.copy() as V | undefined)
  }

  async setMany(items: Iterable<CacheItem<V> | readonly [CacheKey, V]>): Promise<void> {
    this.#host.assertUsable()
    const entries = readItems(this.#input, items)
    const keys = entries.map(({ key }) => key)
    await this.#write(keys, () => this.#second?.write(entries), entries)
  }

  async getOrSet(key: CacheKey, load: () => V | Promise<V>, options: LoadOptions = {}): Promise<V> {
    const held = this.#hit(key) ?? (await this.#findOrLoad(key, load, options))
    return held?.copy() as V
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    this.#host.assertUsable()
    const wanted = readTags(this.#input, tags)
    if (wanted.length === 0) return
    await this.#second?.invalidate(wanted)
    for (const tag of wanted) this.invalidated(tag)
    this.#remote.tell()
  }

  async size(): Promise<number> {
    this.#host.assertUsable()
    if (this.#second !== undefined) return this.#second.size()
    let size = 0
    for (const _ of this.#inMemory()) size++
    return size
  }

  keys(): Listing<CacheKey> {
    return new Listing(() => this.#list(false, ({ key }) => key))
  }

  values(): Listing<V> {
    return new Listing(() => this.#list(true, ({ value }) => value as V))
  }

  entries(): Listing<[CacheKey, V]> {
    return new Listing(() => this.#list(true, ({ key, value }): [CacheKey, V] => [key, value as V]))
  }

  async forEach(callback: (value: V, key: CacheKey) => unknown): Promise<void> {
    for await (const [key, value] of this.entries()) await callback(value, key)
  }

  /** What this cache has done in this process. */
  stats(): CacheStats {
    return this.#counts.read(this.#memory?.evictions ?? 0)
  }

  /** Another process, or a transaction, wrote or deleted a key; `generation` is what it has now, where that is known. */
  changed(key: CacheKey, generation?: number): void {
    if (generation !== undefined && this.#memory?.peek(key)?.generation === generation) return
    this.#spoil(key)
    this.#writes.mark(key)
    this.#memory?.delete(key)
  }

  /** All entries were deleted by somebody else. */
  cleared(): void {
    this.#drop()
    this.#second?.forget?.()
  }

  /** A tag was invalidated. */
  invalidated(tag: string): void {
    // Which tags what is under way will have is not known yet.
    this.#reads.spoilAll()
    this.#loads.spoilAll()
    this.#writes.markAll()
    this.#memory?.deleteTagged([tag])
  }

  /** Anything may have changed. */
  changedAnyhow(): void {
    this.cleared()
  }

  /** The second level failed. */
  failed(error: unknown): void {
    this.#counts.errors++
    this.#options.onError?.(error)
  }

  /** What memory has under a key, if it is fresh and may be believed. */
  #hit(key: CacheKey): Held | undefined {
    this.#host.assertUsable()
    const held = this.#memory?.get(key)
    if (held === undefined || !this.#remote.trusted || !this.#isFresh(held)) return undefined
    this.#counts.memoryHits++
    return held
  }

  #isFresh({ freshUntil }: Entry): boolean {
    return freshUntil === FOREVER || freshUntil > this.#clock.now()
  }

  async #find(key: CacheKey): Promise<unknown> {
    assertKey(this.name, key)
    const held = await this.#findSecond(key)
    if (held === undefined) this.#counts.misses++
    return held?.copy()
  }

  /** What there is under a key that is fresh, beyond what memory knew at once. */
  async #findSecond(key: CacheKey): Promise<Held | undefined> {
    if (this.#second === undefined) return undefined
    if (!this.#remote.trusted) {
      await this.#remote.compared()
      const held = this.#hit(key)
      if (held !== undefined) return held
    }
    const { held } = await this.#read(this.#second, key)
    if (held === undefined || !this.#isFresh(held)) return undefined
    this.#counts.secondHits++
    return held
  }

  async #findMany(second: SecondLevel, keys: readonly CacheKey[], into: Map<CacheKey, Held>): Promise<void> {
    await this.#remote.compared()
    const reading = this.#surviving(
      () => second.readMany(keys),
      keys.map(() => NOTHING),
    )
    const flights = keys.map((key, index) =>
      this.#readFlight(
        key,
        reading.then((found) => found[index] as Found),
      ),
    )
    for (const [index, flight] of flights.entries()) {
      const { held } = await flight.outcome
      if (held === undefined || !this.#isFresh(held)) this.#counts.misses++
      else {
        this.#counts.secondHits++
        into.set(keys[index] as CacheKey, held)
      }
    }
  }

  /** Reads the second level, once for all who ask meanwhile, and fills memory. */
  async #read(second: SecondLevel, key: CacheKey): Promise<Read> {
    const under = this.#reads.get(key)
    if (under !== undefined) return under.outcome
    await this.#remote.compared()
    return (
      this.#reads.get(key) ??
      this.#readFlight(
        key,
        this.#surviving(() => second.read(key), NOTHING),
      )
    ).outcome
  }

  #readFlight(key: CacheKey, reading: Promise<Found>): Flight<Read> {
    return this.#reads.start(key, async (flight) => {
      const { entry, generation } = await reading
      return { held: entry === undefined ? undefined : this.#hold(key, entry, flight), generation }
    })
  }

  /** Puts an entry in memory, unless it was overtaken. */
  #hold(key: CacheKey, entry: Entry, flight: Flight<unknown>): Held {
    if (flight.spoiled || this.#memory === undefined) return new Held(entry, FOREVER)
    return this.#memory.set(key, entry, this.#host.clock.now())
  }

  async #findOrLoad(key: CacheKey, load: () => V | Promise<V>, options: LoadOptions): Promise<Held | undefined> {
    assertKey(this.name, key)
    readLoadOptions(this.#input, load, options)
    const stale = this.#staleInMemory(key)
    if (stale === undefined) return this.#load(key, load, options).outcome
    this.#refresh(key, load, options)
    return stale
  }

  #staleInMemory(key: CacheKey): Held | undefined {
    const held = this.#remote.trusted ? this.#memory?.peek(key) : undefined
    if (held === undefined || held.keepUntil <= this.#host.clock.now()) return undefined
    // Memory may hold it for less long than the second level.
    return this.#options.memoryTtlMs === undefined ? held : undefined
  }

  /** Loads behind the caller's back. */
  #refresh(key: CacheKey, load: () => V | Promise<V>, options: LoadOptions): void {
    this.#counts.stale++
    if (this.#loads.get(key) !== undefined) return
    this.#load(key, load, options, true).outcome.catch((error: unknown) => this.failed(error))
  }

  /** Loads a value, once for all who ask meanwhile. */
  #load(key: CacheKey, load: () => V | Promise<V>, options: LoadOptions, refreshes = false): Flight<Held | undefined> {
    return (
      this.#loads.get(key) ?? this.#loads.start(key, (flight) => this.#loadOnce(key, load, options, refreshes, flight))
    )
  }

  async #loadOnce(
    key: CacheKey,
    load: () => V | Promise<V>,
    options: LoadOptions,
    refreshes: boolean,
    flight: Flight<unknown>,
  ): Promise<Held | undefined> {
    const second = this.#second
    if (second === undefined) {
      this.#counts.misses += refreshes ? 0 : 1
      return this.#keepLoaded(key, await this.#callLoad(load), options, flight)
    }
    const { held, generation } = await this.#read(second, key)
    if (held !== undefined && this.#isFresh(held)) {
      this.#counts.secondHits++
      return held
    }
    if (held !== undefined && !refreshes) {
      // This flight is over at once; the load is another one.
      this.#loads.spoil(key)
      this.#refresh(key, load, options)
      return held
    }
    this.#counts.misses += refreshes ? 0 : 1
    const marks = await this.#surviving(() => second.marks(options.tags ?? []), undefined)
    const startedAt = this.#host.clock.now()
    const loaded = await this.#callLoad(load)
    const entry = loadedEntry(this.#input, key, loaded, options)
    if (entry === undefined) return undefined
    if (flight.spoiled || this.#host.clock.now() - startedAt > second.rememberedMs) return new Held(entry, FOREVER)
    const written =
      marks === undefined
        ? undefined
        : await this.#surviving(() => second.writeLoaded(entry, generation, marks), undefined)
    if (written === false) return new Held(entry, FOREVER)
    this.#reads.spoil(key)
    if (written === true) this.#remote.tell()
    return this.#hold(key, written === true ? entry : untilItIsBack(entry, this.#host.clock.now()), flight)
  }

  #callLoad(load: () => V | Promise<V>): V | Promise<V> {
    this.#counts.loads++
    return load()
  }

  #keepLoaded(key: CacheKey, loaded: unknown, options: LoadOptions, flight: Flight<unknown>): Held | undefined {
    const entry = loadedEntry(this.#input, key, loaded, options)
    return entry === undefined ? undefined : this.#hold(key, entry, flight)
  }

  /**
   * Writes keys, after earlier writes of them: what is written last is what both levels have. Memory follows the second level, so that it
   * never has what that has not.
   */
  async #write<T>(keys: readonly CacheKey[], work: () => T, entries: readonly KeyedEntry[]): Promise<Awaited<T>> {
    const before = keys.flatMap((key) => this.#writes.get(key)?.outcome ?? [])
    const { promise: done, resolve } = Promise.withResolvers<void>()
    const flights = keys.map((key) => this.#writes.start(key, () => done))
    try {
      if (before.length > 0) await Promise.all(before)
      const result = await (this.#second === undefined ? work() : this.#told(work))
      const now = this.#host.clock.now()
      for (const [index, key] of keys.entries()) {
        this.#spoil(key)
        const entry = entries[index]
        if (entry === undefined || flights[index]?.spoiled === true) this.#memory?.delete(key)
        else this.#memory?.set(key, entry, now)
      }
      return result
    } catch (error) {
      // It may have been written all the same.
      for (const key of keys) this.changed(key)
      throw error
    } finally {
      resolve()
    }
  }

  async #told<T>(work: () => T): Promise<Awaited<T>> {
    await this.#remote.compared()
    const result = await work()
    this.#remote.tell()
    return result
  }

  /** Runs a read of the second level; where that is down, reads go on without it. */
  async #surviving<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isMisuse(error)) throw error
      this.failed(error)
      return otherwise
    }
  }

  #spoil(key: CacheKey): void {
    this.#reads.spoil(key)
    this.#loads.spoil(key)
  }

  /** Forgets all that memory has, and all that is on its way there. */
  #drop(): void {
    this.#reads.spoilAll()
    this.#loads.spoilAll()
    this.#writes.markAll()
    this.#memory?.clear()
  }

  async *#list<T>(values: boolean, pick: (entry: KeyedEntry) => T): AsyncGenerator<T> {
    this.#host.assertUsable()
    if (this.#second === undefined) for (const entry of this.#inMemory()) yield pick(entry)
    else for await (const entry of this.#second.entries(values)) yield pick(entry)
  }

  *#inMemory(): Generator<KeyedEntry> {
    const now = this.#host.clock.now()
    for (const [key, held] of [...(this.#memory?.entries() ?? [])]) {
      if (held.freshUntil > now && held.value !== undefined) yield { ...held, key, value: held.copy() }
    }
  }
}

/** While the second level is down memory alone keeps what is loaded, and not for long: nobody would tell it of a change. */
function untilItIsBack(entry: Entry, now: number): Entry {
  const until = now + WITHOUT_SECOND_MS
  return { ...entry, freshUntil: Math.min(entry.freshUntil, until), keepUntil: Math.min(entry.keepUntil, until) }
}

/** Whether an error says that the call was wrong, rather than that the second level is down. */
function isMisuse(error: unknown): boolean {
  return (
    error instanceof ConfigurationError ||
    error instanceof ValidationError ||
    (error instanceof ConnectionError && error.code === 'CLOSED')
  )
}
