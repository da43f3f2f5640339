import type { Entry, KeyedEntry } from './entry.ts'
import type { CacheKey } from './key.ts'
import { type Found, NOTHING, type SecondLevel, type Standing } from './second-level.ts'

/** What an overlay lies on: what is committed, or the overlay of the transaction around. */
export interface Beneath extends Pick<SecondLevel, 'readMany' | 'entries'> {
  isFresh(entry: Entry): boolean
}

/** What was written in a transaction, to be done again elsewhere: first the clearing, then the tags, then the entries. */
export interface Overlaid {
  readonly cleared: boolean
  readonly tags: ReadonlySet<string>
  /** Undefined for what was deleted. */
  readonly written: ReadonlyMap<CacheKey, KeyedEntry | undefined>
}

/**
 * What a transaction writes to a cache that is not in its database. Seen by the transaction alone, it is done when that commits and
 * forgotten when it does not.
 */
export class OverlayLevel implements SecondLevel, Beneath, Overlaid {
  readonly rememberedMs: number = Number.POSITIVE_INFINITY
  readonly tags: Set<string> = new Set()
  readonly written: Map<CacheKey, KeyedEntry | undefined> = new Map()
  cleared = false
  readonly #beneath: Beneath
  readonly #begin: () => Promise<void>
  #begun: Promise<void> | undefined

  /** @param begin is called before the first write. */
  constructor(beneath: Beneath, begin: () => Promise<void>) {
    this.#beneath = beneath
    this.#begin = begin
  }

  isFresh(entry: Entry): boolean {
    return this.#beneath.isFresh(entry)
  }

  async read(key: CacheKey): Promise<Found> {
    return (await this.readMany([key]))[0] as Found
  }

  async readMany(keys: readonly CacheKey[]): Promise<Found[]> {
    const deeper = this.cleared ? [] : keys.filter((key) => !this.written.has(key))
    const found = deeper.length === 0 ? [] : await this.#beneath.readMany(deeper)
    const below = new Map(deeper.map((key, index) => [key, found[index] as Found]))
    return keys.map((key) => {
      if (this.written.has(key)) return { entry: this.written.get(key), generation: 0 }
      const { entry, generation } = below.get(key) ?? NOTHING
      return { entry: entry !== undefined && this.#holds(entry.tags) ? entry : undefined, generation }
    })
  }

  async standing(): Promise<Standing> {
    return { epoch: 0, marks: {} }
  }

  async write(entries: readonly KeyedEntry[]): Promise<void> {
    await this.#start()
    for (const entry of entries) this.written.set(entry.key, entry)
  }

  async writeLoaded(entry: KeyedEntry): Promise<boolean> {
    await this.write([entry])
    return true
  }

  async delete(key: CacheKey): Promise<boolean> {
    await this.#start()
    const { entry } = await this.read(key)
    this.written.set(key, undefined)
    return entry?.value !== undefined && this.isFresh(entry)
  }

  async clear(): Promise<void> {
    await this.#start()
    this.written.clear()
    this.tags.clear()
    this.cleared = true
  }

  async invalidate(tags: readonly string[]): Promise<void> {
    await this.#start()
    for (const tag of tags) this.tags.add(tag)
    for (const [key, entry] of this.written) {
      if (entry?.tags.some((tag) => tags.includes(tag)) === true) this.written.set(key, undefined)
    }
  }

  async *entries(values: boolean): AsyncGenerator<KeyedEntry> {
    for (const entry of [...this.written.values()]) if (entry?.value !== undefined) yield entry
    if (this.cleared) return
    for await (const entry of this.#beneath.entries(values)) {
      if (!this.written.has(entry.key) && this.#holds(entry.tags)) yield entry
    }
  }

  /** Does again what was done in another transaction, within this one. */
  async add({ cleared, tags, written }: Overlaid): Promise<void> {
    if (cleared) await this.clear()
    await this.invalidate([...tags])
    for (const [key, entry] of written) this.written.set(key, entry)
  }

  #start(): Promise<void> {
    this.#begun ??= this.#begin()
    return this.#begun
  }

  #holds(tags: readonly string[]): boolean {
    return this.tags.size === 0 || !tags.some((tag) => this.tags.has(tag))
  }
}
