import type { CacheKey } from './key.ts'
import type { EntryOptions } from './options.ts'

/** The time of entries that do not expire. */
export const FOREVER: number = Number.MAX_SAFE_INTEGER

/** Entries with tags are kept no longer, so that what is known of tags can be forgotten some day. */
const TAGGED_MS = 30 * 86_400_000

/** An entry, whichever level it lies in. */
export interface Entry {
  /** JSON that belongs to the cache; undefined says that there is nothing. */
  readonly value: unknown
  /** Milliseconds since 1970. */
  readonly freshUntil: number
  /** As `freshUntil` or later: until then `getOrSet` may give it while it loads a new one. */
  readonly keepUntil: number
  /** Another number after every write of the key. */
  readonly generation: number
  readonly tags: readonly string[]
}

/** An entry of the second level, with its key. */
export interface KeyedEntry extends Entry {
  readonly key: CacheKey
}

/** A number that no other write has. */
export function newGeneration(): number {
  // 0 stands for what was never written.
  return 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1))
}

/** How long an entry lives that is written now. */
export function lifeOf(
  { ttlMs, staleMs = 0, tags = [] }: EntryOptions,
  now: number,
): Pick<Entry, 'freshUntil' | 'keepUntil'> {
  const latest = tags.length > 0 ? now + TAGGED_MS : FOREVER
  const freshUntil = Math.min(ttlMs === undefined ? FOREVER : Math.ceil(now + ttlMs), latest)
  return { freshUntil, keepUntil: Math.min(Math.ceil(freshUntil + staleMs), latest) }
}

/** How long what is known of a tag must be kept: longer than any entry that it may concern. */
export function markerUntil(now: number): number {
  return now + TAGGED_MS + 86_400_000
}
