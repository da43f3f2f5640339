import { LRUCache } from 'lru-cache'
import { type Copier, copierFor, copyByLevel } from './copier.ts'
import { type Entry, FOREVER } from './entry.ts'
import type { CacheKey } from './key.ts'
import type { ResolvedOptions } from './options.ts'
import { freeze, isNested } from './value.ts'

/** An entry as memory holds it. */
export class Held implements Entry {
  readonly value: unknown
  readonly freshUntil: number
  readonly keepUntil: number
  readonly generation: number
  readonly tags: readonly string[]
  /** How the value is copied; undefined before it was given twice, and for one that nobody can change. */
  #copier: Copier | undefined
  #wasCopied = false
  /** What is given for a value that nobody can change: making a promise costs as much as finding the entry. */
  readonly #given: Promise<unknown> | undefined

  /** @param frozen gives the value itself, which nobody can change, instead of copies. */
  constructor(entry: Entry, heldUntil: number, frozen: boolean) {
    this.value = entry.value
    this.freshUntil = Math.min(entry.freshUntil, heldUntil)
    this.keepUntil = Math.min(entry.keepUntil, heldUntil)
    this.generation = entry.generation
    this.tags = entry.tags
    if (frozen) freeze(entry.value)
    this.#given = frozen || !isNested(entry.value) ? Promise.resolve(entry.value) : undefined
  }

  /** The value, as a copy where it could be changed. */
  give(): Promise<unknown> {
    return this.#given ?? Promise.resolve(this.copy())
  }

  /** Like `give`, at once. */
  copy(): unknown {
    if (this.#copier !== undefined) return this.#copier(this.value)
    return this.#given === undefined ? this.#copyFirst() : this.value
  }

  /** What is given once may never be again; for what is given more often the fastest way is looked for. */
  #copyFirst(): unknown {
    if (this.#wasCopied) this.#copier = copierFor(this.value as object)
    this.#wasCopied = true
    return copyByLevel(this.value)
  }
}

/** The first level: entries in memory, those used last. */
export class MemoryLevel {
  readonly #entries: LRUCache<CacheKey, Held>
  readonly #byTag = new Map<string, Set<CacheKey>>()
  readonly #measures: boolean
  readonly #ttlMs: number | undefined
  readonly #frozen: boolean
  #evictions = 0

  constructor({ max, maxBytes, memoryTtlMs, frozen }: ResolvedOptions) {
    this.#frozen = frozen
    this.#measures = maxBytes !== undefined
    this.#ttlMs = memoryTtlMs
    this.#entries = new LRUCache({
      ...(max !== undefined && { max }),
      ...(maxBytes !== undefined && { maxSize: maxBytes }),
      disposeAfter: (held: Held, key: CacheKey, reason: string) => {
        if (reason === 'evict') this.#evictions++
        if (held.tags.length > 0) this.#untag(held, key)
      },
    } as LRUCache.Options<CacheKey, Held, unknown>)
  }

  /** How many entries were put out because there was no room. */
  get evictions(): number {
    return this.#evictions
  }

  /** The entry, counting as a use of it, whether or not it is fresh. */
  get(key: CacheKey): Held | undefined {
    return this.#entries.get(key)
  }

  /** The entry, which does not count as a use of it. */
  peek(key: CacheKey): Held | undefined {
    return this.#entries.peek(key)
  }

  /** Holds an entry. One that is too large for the bound is not held, and the one before it no more. */
  set(key: CacheKey, entry: Entry, now: number): Held {
    const held = new Held(entry, this.#ttlMs === undefined ? FOREVER : now + this.#ttlMs, this.#frozen)
    this.#entries.set(key, held, this.#measures ? { size: sizeOf(key, entry.value) } : undefined)
    if (held.tags.length > 0 && this.#entries.peek(key) === held) this.#tag(held, key)
    return held
  }

  delete(key: CacheKey): boolean {
    return this.#entries.delete(key)
  }

  deleteTagged(tags: readonly string[]): void {
    for (const tag of tags) for (const key of [...(this.#byTag.get(tag) ?? [])]) this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** The entries, those used last first. */
  entries(): IterableIterator<[CacheKey, Held]> {
    return this.#entries.entries()
  }

  #tag({ tags }: Held, key: CacheKey): void {
    for (const tag of tags) {
      const keys = this.#byTag.get(tag)
      if (keys === undefined) this.#byTag.set(tag, new Set([key]))
      else keys.add(key)
    }
  }

  #untag({ tags }: Held, key: CacheKey): void {
    const now = this.#entries.peek(key)
    for (const tag of tags) {
      if (now?.tags.includes(tag)) continue
      const keys = this.#byTag.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#byTag.delete(tag)
    }
  }
}

/** About what an entry takes: its key and JSON in UTF-8, and what every entry costs. */
function sizeOf(key: CacheKey, value: unknown): number {
  return 64 + Buffer.byteLength(String(key)) + (value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value)))
}
