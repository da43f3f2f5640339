import { type Issue, ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'
import type { CacheItem } from './access.ts'
import { type KeyedEntry, lifeOf, newGeneration } from './entry.ts'
import { assertKey, type CacheKey, checkKey } from './key.ts'
import type { ResolvedOptions } from './options.ts'
import { checkEntryOptions, checkTags, type EntryOptions, LOAD_OPTIONS, type LoadOptions } from './options.ts'
import { ownValue } from './value.ts'

/** What every reading of input needs of a cache. */
export interface InputContext {
  readonly name: string
  readonly options: ResolvedOptions
  now(): number
}

/**
 * The entry that `set` is to write.
 *
 * @throws ValidationError
 */
export function readItem(cache: InputContext, key: unknown, value: unknown, options: EntryOptions): KeyedEntry {
  assertKey(cache.name, key)
  const issues: Issue[] = []
  checkEntryOptions(options, '', issues)
  refuse(issues, `The options for the cache ${cache.name} were refused`)
  return entryOf(cache, key, ownValue(cache.name, value), options)
}

/**
 * The entries that `setMany` is to write: the last one for each key.
 *
 * @throws ValidationError naming the place of each that is wrong.
 */
export function readItems(cache: InputContext, items: unknown): KeyedEntry[] {
  const issues: Issue[] = []
  const subject = `Items for the cache ${cache.name} were refused`
  if (typeof items !== 'object' || items === null || !(Symbol.iterator in items)) {
    throw new ValidationError(subject, [{ path: 'items', reason: `must be a list, got ${describe(items)}` }])
  }
  const read: CacheItem<unknown>[] = []
  for (const [index, item] of [...(items as Iterable<unknown>)].entries()) {
    const path = `items.${index}`
    if (typeof item !== 'object' || item === null) {
      issues.push({ path, reason: `must be { key, value } or a pair of them, got ${describe(item)}` })
      continue
    }
    const { key, value, ...options } = Array.isArray(item)
      ? { key: item[0], value: item[1] }
      : (item as CacheItem<unknown>)
    checkKey(key, `${path}.key`, issues)
    checkEntryOptions(options, path, issues)
    read.push({ key, value, ...options })
  }
  refuse(issues, subject)
  const entries = new Map<CacheKey, KeyedEntry>()
  for (const [index, { key, value, ...options }] of read.entries()) {
    entries.set(key, entryOf(cache, key, ownValue(cache.name, value, `items.${index}.value`), options))
  }
  return [...entries.values()]
}

/** @throws ValidationError */
export function readKeys(cache: InputContext, keys: unknown): CacheKey[] {
  const issues: Issue[] = []
  if (!Array.isArray(keys)) issues.push({ path: 'keys', reason: `must be a list, got ${describe(keys)}` })
  else for (const [index, key] of keys.entries()) checkKey(key, `keys.${index}`, issues)
  refuse(issues, `Keys of the cache ${cache.name} were refused`)
  return keys as CacheKey[]
}

/** @throws ValidationError */
export function readLoadOptions(cache: InputContext, load: unknown, options: LoadOptions): void {
  const issues: Issue[] = []
  if (typeof load !== 'function') issues.push({ path: 'load', reason: `must be a function, got ${describe(load)}` })
  checkEntryOptions(options, '', issues, LOAD_OPTIONS)
  refuse(issues, `The options for the cache ${cache.name} were refused`)
}

/** @throws ValidationError */
export function readTags(cache: InputContext, tags: unknown): string[] {
  const issues: Issue[] = []
  checkTags(tags, 'tags', issues)
  refuse(issues, `Tags of the cache ${cache.name} were refused`)
  return [...new Set(tags as string[])]
}

/**
 * The entry for what was loaded; undefined where it is not to be kept.
 *
 * @throws ValidationError for what JSON cannot hold.
 */
export function loadedEntry(
  cache: InputContext,
  key: CacheKey,
  loaded: unknown,
  options: LoadOptions,
): KeyedEntry | undefined {
  const negativeTtlMs = options.negativeTtlMs ?? cache.options.negativeTtlMs
  const nothing = loaded === undefined || loaded === null
  if (nothing && negativeTtlMs !== undefined) {
    return entryOf(cache, key, loaded, { ...options, ttlMs: negativeTtlMs, staleMs: 0 })
  }
  return loaded === undefined ? undefined : entryOf(cache, key, ownValue(cache.name, loaded), options)
}

function entryOf(cache: InputContext, key: CacheKey, value: unknown, options: EntryOptions): KeyedEntry {
  const { tags = [], ttlMs = cache.options.ttlMs, staleMs = cache.options.staleMs } = options
  const life = lifeOf({ ...(ttlMs !== undefined && { ttlMs }), staleMs, tags }, cache.now())
  return { key, value, ...life, generation: newGeneration(), tags: [...new Set(tags)] }
}

function refuse(issues: readonly Issue[], subject: string): void {
  if (issues.length > 0) throw new ValidationError(subject, issues)
}
