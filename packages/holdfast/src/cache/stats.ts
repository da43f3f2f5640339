/** What a cache has done since it was made, in this process. */
export interface CacheStats {
  /** Reads that were answered. */
  readonly hits: number
  /** Those that memory answered. */
  readonly memoryHits: number
  /** Those that the second level answered: the storage, or a Keyv store. */
  readonly secondHits: number
  /** Reads that no level could answer. */
  readonly misses: number
  /** How often `getOrSet` called what it was given to load with. */
  readonly loads: number
  /** How often `getOrSet` gave what was no longer fresh. */
  readonly stale: number
  /** Entries that were put out of memory because there was no room. */
  readonly evictions: number
  /** How often the second level failed and the cache went on without it. */
  readonly errors: number
  /** Whether the second level failed when it was last asked. */
  readonly down: boolean
}

/** Counts as things happen. */
export class Counts {
  memoryHits = 0
  secondHits = 0
  misses = 0
  loads = 0
  stale = 0
  errors = 0

  /** What was counted so far. */
  read({ evictions, down }: Pick<CacheStats, 'evictions' | 'down'>): CacheStats {
    const { memoryHits, secondHits, misses, loads, stale, errors } = this
    const hits = memoryHits + secondHits
    return { hits, memoryHits, secondHits, misses, loads, stale, evictions, errors, down }
  }
}
