import { type Issue, ValidationError } from '../base/errors.ts'
import { checkKnown, checkMs, describe, isStorableText, UNSTORABLE_TEXT } from '../schema/index.ts'
import { isKeyvStore, type KeyvStore } from './keyv-store.ts'

/** Where a cache keeps its entries: in memory, in a table of the storage's database, or in a Keyv store, such as one on Redis. */
export type CacheLevel = 'memory' | 'storage' | KeyvStore

/** How long an entry lives, and what it belongs to. */
export interface EntryOptions {
  /** How long it is fresh; until it is evicted unless given here or with the cache. */
  readonly ttlMs?: number
  /**
   * How long it is kept beyond that: `getOrSet` gives it back at once and loads a new one behind the caller's back. `get` never gives what
   * is not fresh. 0 unless given here or with the cache.
   */
  readonly staleMs?: number
  /** What `invalidateTags` finds it by. */
  readonly tags?: readonly string[]
}

/** How `getOrSet` keeps what it loads. */
export interface LoadOptions extends EntryOptions {
  /**
   * How long it is remembered that there is nothing, which a load says with null or undefined. Unless given here or with the cache, null is
   * kept like any value and undefined is not kept.
   */
  readonly negativeTtlMs?: number
}

/** How a cache is. */
export interface CacheOptions {
  /** Where entries are kept, nearest first: `['memory', 'storage']` unless given. */
  readonly levels?: readonly CacheLevel[]
  /** How long entries are fresh, unless they say so themselves; until they are evicted unless given. */
  readonly ttlMs?: number
  /** How long they are kept beyond that for `getOrSet`; 0 unless given. */
  readonly staleMs?: number
  /** How long it is remembered that there is nothing. */
  readonly negativeTtlMs?: number
  /** How many entries memory holds at most: 10,000 unless this or `maxBytes` is given. What was not used for longest goes first. */
  readonly max?: number
  /** How many bytes of keys and JSON memory holds at most. */
  readonly maxBytes?: number
  /**
   * Gives values as they are, frozen all through, instead of a copy to everybody: a hit of a large value then costs as much as one of a
   * number. Off unless given.
   */
  readonly frozen?: boolean
  /** How long memory holds an entry at most before the second level is asked again; ten minutes unless given, or five seconds before a Keyv store, of whose changes by others nobody tells. */
  readonly memoryTtlMs?: number
  /**
   * Is told when the second level begins to fail while reads go on without it, once until it has answered again; and of loads behind the caller's
   * back that fail.
   */
  readonly onError?: (error: unknown) => void
}

/** The options of a cache with those that were not given filled in. */
export interface ResolvedOptions extends CacheOptions {
  readonly levels: readonly CacheLevel[]
  readonly staleMs: number
  readonly frozen: boolean
}

const DEFAULT_MAX = 10_000
/** lru-cache makes room for all of them at once. */
const MAX_MAX = 10_000_000

const OPTIONS = ['levels', 'ttlMs', 'staleMs', 'negativeTtlMs', 'max', 'maxBytes', 'memoryTtlMs', 'frozen', 'onError']
/** How long each of the times lasts at least. */
const LEAST_MS = Object.entries({ ttlMs: 1, staleMs: 0, negativeTtlMs: 1, memoryTtlMs: 1 })
const ENTRY_OPTIONS = ['ttlMs', 'staleMs', 'tags']
export const LOAD_OPTIONS: readonly string[] = [...ENTRY_OPTIONS, 'negativeTtlMs']

/** @throws ValidationError naming every option that is wrong. */
export function readOptions(name: string, options: CacheOptions): ResolvedOptions {
  const issues: Issue[] = []
  if (typeof name !== 'string' || name === '' || name.length > 200 || !isStorableText(name)) {
    issues.push({ path: 'name', reason: `must be text of 1 to 200 characters, got ${describe(name)}` })
  }
  const subject = `The options of the cache ${typeof name === 'string' ? name : describe(name)} were refused`
  if (!checkKnown(options, OPTIONS, '', issues)) throw new ValidationError(subject, issues)
  const { levels = ['memory', 'storage'], max, maxBytes, onError, staleMs = 0, frozen = false } = options
  checkLevels(levels, issues)
  checkTimes(options, '', issues)
  checkCount(max, 'max', MAX_MAX, issues)
  checkCount(maxBytes, 'maxBytes', Number.MAX_SAFE_INTEGER, issues)
  if (typeof frozen !== 'boolean')
    issues.push({ path: 'frozen', reason: `must be true or false, got ${describe(frozen)}` })
  if (onError !== undefined && typeof onError !== 'function')
    issues.push({ path: 'onError', reason: `must be a function, got ${describe(onError)}` })
  if (issues.length > 0) throw new ValidationError(subject, issues)
  const bounded = max !== undefined || maxBytes !== undefined
  const memoryTtlMs = options.memoryTtlMs ?? (levels.length > 1 ? defaultMemoryTtlMs(levels[1]) : undefined)
  return {
    ...options,
    levels: [...levels],
    staleMs,
    frozen,
    ...(!bounded && { max: DEFAULT_MAX }),
    ...(memoryTtlMs !== undefined && { memoryTtlMs }),
  }
}

function defaultMemoryTtlMs(second: CacheLevel | undefined): number {
  return second === 'storage' ? 600_000 : 5_000
}

function checkLevels(levels: unknown, issues: Issue[]): void {
  const beyond = (level: unknown): boolean => level === 'storage' || isKeyvStore(level)
  const fits =
    Array.isArray(levels) &&
    (levels.length === 1
      ? levels[0] === 'memory' || beyond(levels[0])
      : levels.length === 2 && levels[0] === 'memory' && beyond(levels[1]))
  if (fits) return
  const reason = "must be 'memory', 'storage' or a Keyv store, or 'memory' before one of the others"
  issues.push({ path: 'levels', reason: `${reason}, got ${describe(levels)}` })
}

/** Checks what an entry is given; adds what is wrong to `issues`. */
export function checkEntryOptions(
  options: LoadOptions,
  path: string,
  issues: Issue[],
  allowed: readonly string[] = ENTRY_OPTIONS,
): void {
  const prefix = path === '' ? '' : `${path}.`
  if (!checkKnown(options, allowed, prefix, issues)) return
  checkTimes(options, prefix, issues)
  if (options.tags !== undefined) checkTags(options.tags, `${prefix}tags`, issues)
}

/** Checks a list of tags. */
export function checkTags(tags: unknown, path: string, issues: Issue[]): void {
  if (!Array.isArray(tags)) issues.push({ path, reason: `must be a list of texts, got ${describe(tags)}` })
  else {
    for (const [index, tag] of tags.entries()) {
      if (typeof tag !== 'string' || tag === '')
        issues.push({ path: `${path}.${index}`, reason: `must be text that is not empty, got ${describe(tag)}` })
      else if (!isStorableText(tag) || tag === '__proto__')
        issues.push({
          path: `${path}.${index}`,
          reason: tag === '__proto__' ? 'cannot be the name of a tag' : UNSTORABLE_TEXT,
        })
    }
  }
}

function checkTimes(options: CacheOptions | LoadOptions, prefix: string, issues: Issue[]): void {
  for (const [name, least] of LEAST_MS) {
    const ms: unknown = options[name as keyof typeof options]
    if (ms !== undefined) checkMs(ms, least, `${prefix}${name}`, issues)
  }
}

function checkCount(value: unknown, path: string, most: number, issues: Issue[]): void {
  if (value === undefined) return
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > most)
    issues.push({ path, reason: `must be a whole number from 1 to ${most}, got ${describe(value)}` })
}
