import type { Clock } from '../base/clock.ts'
import type { Entry } from './entry.ts'
import type { Flight } from './flights.ts'
import { type InputContext, loadedEntry } from './input.ts'
import type { CacheKey } from './key.ts'
import type { Levels } from './levels.ts'
import type { Held } from './memory-level.ts'
import type { LoadOptions } from './options.ts'
import type { SecondLevel, Standing } from './second-level.ts'

/** How long memory keeps what the second level could not be given. */
const WITHOUT_SECOND_MS = 5_000

/** A call of `getOrSet`. */
export interface Wanted {
  readonly key: CacheKey
  readonly load: () => unknown
  readonly options: LoadOptions
}

/** Loads what no level has: one load at a time for a key. */
export class Loading {
  readonly #levels: Levels
  readonly #input: InputContext
  readonly #clock: Clock

  constructor(levels: Levels, input: InputContext, clock: Clock) {
    this.#levels = levels
    this.#input = input
    this.#clock = clock
  }

  /** What there is under a key, or what is loaded; what is stale while the new is loaded. */
  async get(wanted: Wanted): Promise<Held | undefined> {
    const stale = this.#levels.stale(wanted.key)
    if (stale === undefined) return this.#start(wanted, false).outcome
    this.#refresh(wanted)
    return stale
  }

  /** Loads behind the caller's back. */
  #refresh(wanted: Wanted): void {
    this.#levels.counts.stale++
    if (this.#levels.loads.get(wanted.key) !== undefined) return
    this.#start(wanted, true).outcome.catch((error: unknown) => this.#levels.tell(error))
  }

  #start(wanted: Wanted, refreshes: boolean): Flight<Held | undefined> {
    const { loads, second } = this.#levels
    const known = loads.get(wanted.key)
    if (known !== undefined) return known
    return loads.start(wanted.key, (flight) => {
      if (second !== undefined) return this.#loadFor(second, wanted, refreshes, flight)
      if (!refreshes) this.#levels.counts.misses++
      return this.#load(wanted, flight)
    })
  }

  async #load({ key, load, options }: Wanted, flight: Flight<unknown>): Promise<Held | undefined> {
    const entry = loadedEntry(this.#input, key, await this.#call(load), options)
    return entry === undefined ? undefined : this.#levels.hold(key, entry, flight)
  }

  async #loadFor(
    second: SecondLevel,
    wanted: Wanted,
    refreshes: boolean,
    flight: Flight<unknown>,
  ): Promise<Held | undefined> {
    const { key, load, options } = wanted
    const { counts, loads } = this.#levels
    const { held, generation } = await this.#levels.read(second, key)
    if (held !== undefined && this.#levels.isFresh(held)) {
      counts.secondHits++
      return held
    }
    if (held !== undefined && !refreshes) {
      // Who waits for this is given what is stale; the load is another flight.
      loads.spoil(key)
      this.#refresh(wanted)
      return held
    }
    if (!refreshes) counts.misses++
    const standing = await this.#levels.outage.surviving(() => second.standing(options.tags ?? []), undefined)
    const startedAt = this.#clock.now()
    const entry = loadedEntry(this.#input, key, await this.#call(load), options)
    if (entry === undefined) return undefined
    const inTime = this.#clock.now() - startedAt <= second.rememberedMs
    if (flight.spoiled || !inTime) return this.#levels.unheld(entry)
    return this.#keep(second, { ...entry, key }, generation, standing, flight)
  }

  async #keep(
    second: SecondLevel,
    entry: Entry & { readonly key: CacheKey },
    seen: number,
    standing: Standing | undefined,
    flight: Flight<unknown>,
  ): Promise<Held> {
    // Undefined: the second level is down.
    const written =
      standing === undefined
        ? undefined
        : await this.#levels.outage.surviving(() => second.writeLoaded(entry, seen, standing), undefined)
    if (written === false) return this.#levels.unheld(entry)
    if (written === undefined) return this.#levels.hold(entry.key, this.#untilItIsBack(entry), flight)
    this.#levels.remote.tell()
    return this.#levels.hold(entry.key, entry, flight)
  }

  /** Memory alone keeps it, and not for long: nobody would tell it of a change. */
  #untilItIsBack(entry: Entry): Entry {
    const until = this.#clock.now() + WITHOUT_SECOND_MS
    return { ...entry, freshUntil: Math.min(entry.freshUntil, until), keepUntil: Math.min(entry.keepUntil, until) }
  }

  #call(load: () => unknown): unknown {
    this.#levels.counts.loads++
    return load()
  }
}
