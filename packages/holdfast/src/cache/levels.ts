import type { Clock } from '../base/clock.ts'
import { coarse } from './coarse-clock.ts'
import { type Entry, FOREVER, type KeyedEntry } from './entry.ts'
import { type Flight, Flights } from './flights.ts'
import type { CacheKey } from './key.ts'
import { Held, MemoryLevel } from './memory-level.ts'
import type { ResolvedOptions } from './options.ts'
import { Outage } from './outage.ts'
import type { Overlaid } from './overlay-level.ts'
import type { Follower } from './remote-changes.ts'
import { Replays } from './replays.ts'
import { type Found, NOTHING, type SecondLevel } from './second-level.ts'
import { Counts } from './stats.ts'

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
export interface Read {
  readonly held: Held | undefined
  readonly generation: number
}

/**
 * The levels of a cache, kept in step with each other.
 *
 * Memory has nothing that the second level has not, unless that is down. It is filled by reads and after writes; a read, load or write that
 * was overtaken by another write of the key is spoiled, and does not fill it.
 */
export class Levels implements Follower {
  readonly second: SecondLevel | undefined
  readonly remote: Remote
  readonly counts: Counts = new Counts()
  /** What is being loaded. */
  readonly loads: Flights<Held | undefined> = new Flights()
  /** Whether the second level answers. */
  readonly outage: Outage = new Outage(this.counts, (error) => this.tell(error))
  readonly #options: ResolvedOptions
  readonly #host: CacheHost
  readonly #clock: Clock
  readonly #memory: MemoryLevel | undefined
  readonly #reads = new Flights<Read>()
  readonly #writes = new Flights<unknown>()
  readonly #replays = new Replays((error) => this.failed(error))

  constructor(options: ResolvedOptions, host: CacheHost) {
    this.second = host.second
    this.remote = host.remote
    this.#options = options
    this.#host = host
    this.#clock = coarse(host.clock)
    this.#memory = options.levels[0] === 'memory' ? new MemoryLevel(options) : undefined
  }

  get evictions(): number {
    return this.#memory?.evictions ?? 0
  }

  /** Whether the second level failed when it was last asked. */
  get down(): boolean {
    return this.outage.lasts
  }

  /** What memory has under a key, if it is fresh and may be believed. */
  hit(key: CacheKey): Held | undefined {
    this.#host.assertUsable()
    const held = this.#memory?.get(key)
    if (held === undefined || !this.remote.trusted || !this.isFresh(held)) return undefined
    this.counts.memoryHits++
    return held
  }

  isFresh({ freshUntil }: Entry): boolean {
    return freshUntil === FOREVER || freshUntil > this.#clock.now()
  }

  /** What memory has under a key that is no longer fresh but still kept, where nobody else could know better. */
  stale(key: CacheKey): Held | undefined {
    const held = this.second === undefined ? this.#memory?.peek(key) : undefined
    return held !== undefined && held.keepUntil > this.#host.clock.now() ? held : undefined
  }

  /** What there is under a key that is fresh, beyond what memory knew at once. */
  async find(key: CacheKey): Promise<Held | undefined> {
    if (this.second !== undefined && !this.remote.trusted) {
      await this.remote.compared()
      const held = this.hit(key)
      if (held !== undefined) return held
    }
    const held = this.second === undefined ? undefined : (await this.read(this.second, key)).held
    return this.#counted(held)
  }

  /** Like `find`, for several different keys, in one statement. */
  async findMany(keys: readonly CacheKey[]): Promise<(Held | undefined)[]> {
    const { second } = this
    if (second === undefined) return keys.map(() => this.#counted(undefined))
    const reads = await this.#whenReady(() => {
      const nothing = keys.map(() => NOTHING)
      const reading = this.outage.surviving(() => second.readMany(keys), nothing)
      const found = keys.map((key, index) =>
        this.#fill(
          key,
          reading.then((all) => all[index] as Found),
        ),
      )
      return Promise.all(found.map(({ outcome }) => outcome))
    })
    return reads.map(({ held }) => this.#counted(held))
  }

  #counted(held: Held | undefined): Held | undefined {
    if (held === undefined || !this.isFresh(held)) {
      this.counts.misses++
      return undefined
    }
    this.counts.secondHits++
    return held
  }

  /** Reads the second level, once for all who ask meanwhile, and fills memory. */
  async read(second: SecondLevel, key: CacheKey): Promise<Read> {
    const known = this.#reads.get(key)
    if (known !== undefined) return known.outcome
    return this.#whenReady(() => {
      const reading =
        this.#reads.get(key) ??
        this.#fill(
          key,
          this.outage.surviving(() => second.read(key), NOTHING),
        )
      return reading.outcome
    })
  }

  #fill(key: CacheKey, reading: Promise<Found>): Flight<Read> {
    return this.#reads.start(key, async (flight) => {
      const { entry, generation } = await reading
      return { held: entry === undefined ? undefined : this.hold(key, entry, flight), generation }
    })
  }

  /** Puts an entry in memory, unless it was overtaken. */
  hold(key: CacheKey, entry: Entry, flight: Flight<unknown>): Held {
    if (flight.spoiled || this.#memory === undefined) return this.unheld(entry)
    this.#reads.spoil(key)
    return this.#memory.set(key, entry, this.#host.clock.now())
  }

  /** An entry to be given to those who wait for it, that memory does not hold. */
  unheld(entry: Entry): Held {
    return new Held(entry, FOREVER, this.#options.frozen)
  }

  /** Writes entries to all levels. */
  write(entries: readonly KeyedEntry[]): Promise<void> {
    const keys = entries.map(({ key }) => key)
    return this.#inOrder(keys, entries, async (second) => second?.write(entries))
  }

  /** Deletes an entry from all levels; whether there was a fresh one. */
  delete(key: CacheKey): Promise<boolean> {
    return this.#inOrder([key], [], async (second) => {
      if (second !== undefined) return second.delete(key)
      const held = this.#memory?.peek(key)
      return held?.value !== undefined && this.isFresh(held)
    })
  }

  /**
   * Writes keys after earlier writes of them, so that what is written last is what all levels have. Memory follows the second level, so that
   * it never has what that has not.
   */
  async #inOrder<T>(
    keys: readonly CacheKey[],
    entries: readonly KeyedEntry[],
    work: (second: SecondLevel | undefined) => Promise<T>,
  ): Promise<T> {
    if (this.second === undefined) {
      // With nothing to wait for, calls take effect as they are made.
      const done = work(undefined)
      this.#follow(keys, entries)
      return done
    }
    const before = keys.flatMap((key) => this.#writes.get(key)?.outcome ?? [])
    const { promise: done, resolve } = Promise.withResolvers<void>()
    const flights = keys.map((key) => this.#writes.start(key, () => done))
    try {
      if (before.length > 0) await Promise.all(before)
      const { second } = this
      const result = await this.#whenReady(() => work(second))
      this.outage.answered()
      this.#follow(
        keys,
        entries.map((entry, index) => (flights[index]?.spoiled === true ? undefined : entry)),
      )
      this.remote.tell()
      return result
    } catch (error) {
      // It may have been written all the same.
      for (const key of keys) this.changed(key)
      throw error
    } finally {
      resolve()
    }
  }

  /** Memory has what was written: an entry for each key, or none. */
  #follow(keys: readonly CacheKey[], entries: readonly (KeyedEntry | undefined)[]): void {
    const now = this.#host.clock.now()
    for (const [index, key] of keys.entries()) {
      this.#spoil(key)
      const entry = entries[index]
      if (entry === undefined) this.#memory?.delete(key)
      else this.#memory?.set(key, entry, now)
    }
  }

  /** Deletes all entries from all levels. */
  async clear(): Promise<void> {
    this.#drop()
    if (this.second === undefined) return
    try {
      await this.second.clear()
    } finally {
      this.#drop()
    }
    this.remote.tell()
  }

  /** Makes all entries with one of these tags count for nothing, on all levels. */
  async invalidate(tags: readonly string[]): Promise<void> {
    if (this.second !== undefined) await this.second.invalidate(tags)
    for (const tag of tags) this.invalidated(tag)
    this.remote.tell()
  }

  /** What is committed under several keys; memory stays as it is. */
  async readMany(keys: readonly CacheKey[]): Promise<Found[]> {
    const { second } = this
    if (second !== undefined) return this.#whenReady(() => second.readMany(keys))
    const now = this.#host.clock.now()
    return keys.map((key) => {
      const entry = this.#memory?.peek(key)
      return entry !== undefined && entry.keepUntil > now ? { entry, generation: entry.generation } : NOTHING
    })
  }

  /** Does what a transaction did that is committed now. */
  replay(overlaid: Overlaid): void {
    if (overlaid.cleared) this.#drop()
    for (const tag of overlaid.tags) this.invalidated(tag)
    const now = this.#host.clock.now()
    for (const [key, entry] of overlaid.written) {
      this.changed(key)
      if (entry !== undefined && this.second === undefined) this.#memory?.set(key, entry, now)
    }
    if (this.second !== undefined) this.#replayOn(this.second, overlaid)
  }

  /** Reads wait for it: nobody finds what was there before the commit. */
  #replayOn(second: SecondLevel, { cleared, tags, written }: Overlaid): void {
    const entries = [...written.values()].filter((entry) => entry !== undefined)
    const work = async (): Promise<void> => {
      if (cleared) await second.clear()
      await second.invalidate([...tags])
      await second.write(entries)
      for (const [key, entry] of written) if (entry === undefined) await second.delete(key)
    }
    this.#replays.add(work)
  }

  /** Asks the second level when memory may be believed and commits have arrived there; no commit comes between. */
  async #whenReady<T>(ask: () => Promise<T>): Promise<T> {
    await this.remote.compared()
    while (this.#replays.last !== undefined) await this.#replays.last
    return ask()
  }

  /** The entries that are fresh; without their values where these are not wanted. */
  async *entries(values: boolean): AsyncGenerator<KeyedEntry> {
    const { second } = this
    if (second === undefined) yield* this.inMemory()
    else yield* await this.#whenReady(async () => second.entries(values))
  }

  /** The fresh entries in memory, as copies. */
  *inMemory(): Generator<KeyedEntry> {
    const now = this.#host.clock.now()
    for (const [key, held] of [...(this.#memory?.entries() ?? [])]) {
      if (held.freshUntil > now && held.value !== undefined) yield { ...held, key, value: held.copy() }
    }
  }

  changed(key: CacheKey, generation?: number): void {
    if (generation !== undefined && this.#memory?.peek(key)?.generation === generation) return
    this.#spoil(key)
    this.#writes.mark(key)
    this.#memory?.delete(key)
  }

  cleared(): void {
    this.#drop()
    this.second?.forget?.()
  }

  /** Forgets all that memory has: the second level knows, and where there is none, nothing is known any more. */
  forget(): void {
    this.cleared()
    this.remote.tell()
  }

  invalidated(tag: string): void {
    // Which tags what is under way will have is not known yet.
    this.#spoilAll()
    this.#memory?.deleteTagged([tag])
  }

  /** The second level failed. */
  failed(error: unknown): void {
    this.outage.failed(error)
  }

  /** Tells whoever wants to know of an error that no caller gets. */
  tell(error: unknown): void {
    try {
      this.#options.onError?.(error)
    } catch (thrown) {
      // It must not fail the read that goes on; it is an uncaught exception of its own.
      queueMicrotask(() => {
        throw thrown
      })
    }
  }

  #spoil(key: CacheKey): void {
    this.#reads.spoil(key)
    this.loads.spoil(key)
  }

  #spoilAll(): void {
    this.#reads.spoilAll()
    this.loads.spoilAll()
    this.#writes.markAll()
  }

  /** Forgets all that memory has, and all that is on its way there. */
  #drop(): void {
    this.#spoilAll()
    this.#memory?.clear()
  }
}
