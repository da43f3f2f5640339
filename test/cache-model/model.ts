import type { CacheName, Call, Key, Life } from './calls.ts'

/** What is kept under a key. */
interface Entry {
  readonly value: unknown
  readonly freshUntil: number
  readonly staleUntil: number
  readonly tags: readonly string[]
}

export type Entries = ReadonlyMap<Key, Entry>

/** All caches. Nothing in it is ever changed: what is written makes a content of its own. */
export type Content = Readonly<Record<CacheName, Entries>>

export const EMPTY: Content = { near: new Map(), far: new Map(), both: new Map() }

/** What a call comes to. */
export interface Done {
  readonly value: unknown
  readonly entries: Entries
  /** Whether its function is called. */
  readonly loads?: boolean
}

/** Does a call at a moment, in a transaction or outside, where what is stale may be given while the new is loaded. */
export function doInModel(call: Call, entries: Entries, now: number, inTransaction: boolean): Done {
  // What is remembered of nothing is no entry to anybody but who would load it.
  const fresh = new Map([...entries].filter(([, { freshUntil, value }]) => now < freshUntil && value !== undefined))
  switch (call.do) {
    case 'set':
      return { value: undefined, entries: withEntry(entries, call.key, call.value, call.life, now) }
    case 'setMany':
      return {
        value: undefined,
        entries: call.items.reduce((all, { key, value, ...life }) => withEntry(all, key, value, life, now), entries),
      }
    case 'getOrSet': {
      const known = entries.get(call.key)
      if (known !== undefined && now < known.freshUntil) return { value: known.value, entries, loads: false }
      const after = loaded(call, entries, now)
      const isStale = !inTransaction && givesStale(entries, call.key, now)
      return { value: isStale ? entries.get(call.key)?.value : call.loaded, entries: after, loads: true }
    }
    case 'get':
      return { value: fresh.get(call.key)?.value, entries }
    case 'has':
      return { value: fresh.has(call.key), entries }
    case 'getMany':
      return { value: call.keys.map((key) => fresh.get(key)?.value), entries }
    case 'delete':
      return { value: fresh.has(call.key), entries: new Map([...entries].filter(([key]) => key !== call.key)) }
    case 'clear':
      return { value: undefined, entries: new Map() }
    case 'invalidateTags':
      return {
        value: undefined,
        entries: new Map([...entries].filter(([, { tags }]) => !call.tags.some((tag) => tags.includes(tag)))),
      }
    case 'size':
      return { value: fresh.size, entries }
    case 'keys':
      return { value: inOrder([...fresh.keys()]), entries }
    case 'entries':
      return { value: inOrder([...fresh].map(([key, { value }]) => [key, value])), entries }
  }
}

/** Whether a value is no longer fresh, but may be given while the next is loaded. */
export function givesStale(entries: Entries, key: Key, now: number): boolean {
  const entry = entries.get(key)
  return entry !== undefined && now >= entry.freshUntil && now < entry.staleUntil
}

function withEntry(entries: Entries, key: Key, value: unknown, life: Life, now: number): Entries {
  const { ttlMs = Number.POSITIVE_INFINITY, staleMs = 0, tags = [] } = life
  const freshUntil = now + ttlMs
  return new Map(entries).set(key, { value, freshUntil, staleUntil: freshUntil + staleMs, tags })
}

/** The entries after a load; of nothing only null is kept, unless for how long nothing is remembered. */
function loaded({ key, loaded, life }: Call & { do: 'getOrSet' }, entries: Entries, now: number): Entries {
  const { negativeTtlMs, ...rest } = life
  if ((loaded ?? null) === null && negativeTtlMs !== undefined)
    return withEntry(entries, key, loaded, { ...rest, ttlMs: negativeTtlMs, staleMs: 0 }, now)
  return loaded === undefined ? entries : withEntry(entries, key, loaded, rest, now)
}

/** Keys or entries in one order, whatever the cache's is. */
export function inOrder<T>(list: readonly T[]): readonly T[] {
  return list.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}
