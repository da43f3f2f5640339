import type { Entry, KeyedEntry } from './entry.ts'
import type { CacheKey } from './key.ts'

/** What the second level has under a key. */
export interface Found {
  /** The entry; undefined where there is none, it was deleted, is kept no longer, or one of its tags was invalidated. */
  readonly entry: Entry | undefined
  /** What `writeLoaded` must be given to write only if nobody else has written since; 0 where there is no row. */
  readonly generation: number
}

/** Nothing was found, and there is no row. */
export const NOTHING: Found = { entry: undefined, generation: 0 }

/** The generations of tags at some time: what was loaded then counts for nothing once one is invalidated again. */
export type Marks = Readonly<Record<string, number>>

/** What must be known before a load begins, so that what comes of it counts for nothing if the cache changes meanwhile. */
export interface Standing {
  /** The generation of the last clearing. */
  readonly epoch: number
  readonly marks: Marks
}

/** A level behind memory, which keeps entries longer and may be shared with other processes. */
export interface SecondLevel {
  /** For how long it knows that a key was deleted, and so how long a load may take whose value is still written. */
  readonly rememberedMs: number
  /** What is there under a key. */
  read(key: CacheKey): Promise<Found>
  /** What is there under several keys, in their order. */
  readMany(keys: readonly CacheKey[]): Promise<Found[]>
  /** How things stand before a load whose result will have these tags. */
  standing(tags: readonly string[]): Promise<Standing>
  /** Writes entries, whatever is there; no key twice. */
  write(entries: readonly KeyedEntry[]): Promise<void>
  /** Writes what was loaded, unless somebody wrote or deleted the key since it was read; whether it did. */
  writeLoaded(entry: KeyedEntry, seen: number, standing: Standing): Promise<boolean>
  /** Deletes an entry; whether there was one. */
  delete(key: CacheKey): Promise<boolean>
  /** Deletes all entries. */
  clear(): Promise<void>
  /** Forgets what it knows of clearings, since another process or a savepoint may have cleared it. */
  forget?(): void
  /** Makes all entries with one of these tags count for nothing. */
  invalidate(tags: readonly string[]): Promise<void>
  /** The entries that are fresh, with constant memory; without their values where these are not wanted. */
  entries(values: boolean): AsyncIterable<KeyedEntry>
}
