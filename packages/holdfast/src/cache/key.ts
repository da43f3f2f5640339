import { createHash } from 'node:crypto'
import { type Issue, ValidationError } from '../base/errors.ts'
import { describe, isStorableText, UNSTORABLE_TEXT } from '../schema/index.ts'

/** What an entry is found by. `1` and `'1'` are different keys. */
export type CacheKey = string | number

/** Longer keys are stored as their hash: indexes take no keys of any length. */
const MAX_PLAIN = 200

/** A key as it is stored. */
export interface StoredKey {
  readonly key: string
  readonly longKey: string | null
}

/** The row that tells when a cache was cleared. */
export const CLEARED = 'c:'

/** Adds to `issues` why something cannot be a key. */
export function checkKey(key: unknown, path: string, issues: Issue[]): void {
  if (typeof key === 'number') {
    if (!Number.isFinite(key)) issues.push({ path, reason: `must be a finite number, got ${key}` })
  } else if (typeof key !== 'string') issues.push({ path, reason: `must be text or a number, got ${describe(key)}` })
  else if (!isStorableText(key)) issues.push({ path, reason: UNSTORABLE_TEXT })
}

/** @throws ValidationError unless it is a key. */
export function assertKey(cache: string, key: unknown): asserts key is CacheKey {
  const issues: Issue[] = []
  checkKey(key, 'key', issues)
  if (issues.length > 0) throw new ValidationError(`A key of the cache ${cache} was refused`, issues)
}

/** The form in which a key is stored. Each key has one, and no two have the same. */
export function storedKey(key: CacheKey): StoredKey {
  if (typeof key === 'number') return { key: `n:${key + 0}`, longKey: null }
  return key.length <= MAX_PLAIN ? { key: `s:${key}`, longKey: null } : { key: `h:${hash(key)}`, longKey: key }
}

/** The key that was stored so; undefined for a row that is not an entry. */
export function keyOf({ key, longKey }: StoredKey): CacheKey | undefined {
  switch (key.slice(0, 2)) {
    case 's:':
      return key.slice(2)
    case 'n:':
      return Number(key.slice(2))
    case 'h:':
      return longKey ?? undefined
    default:
      return undefined
  }
}

/** The row that tells when a tag was invalidated. */
export function tagRow(tag: string): StoredKey {
  return tag.length <= MAX_PLAIN ? { key: `t:${tag}`, longKey: null } : { key: `t#${hash(tag)}`, longKey: tag }
}

/** The tag whose row this is; undefined for any other row. */
export function tagOf({ key, longKey }: StoredKey): string | undefined {
  if (key.startsWith('t:')) return key.slice(2)
  return key.startsWith('t#') ? (longKey ?? undefined) : undefined
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
