/** The caches of a run, by the levels they have. */
export const LEVELS = { near: ['memory'], far: ['storage'], both: ['memory', 'storage'] } as const

export const CACHES = ['near', 'far', 'both'] as const
export type CacheName = (typeof CACHES)[number]

export type Key = string | number

/** How long a value is fresh, how long it may be given beyond, and what it is about. */
export interface Life {
  readonly ttlMs?: number
  readonly staleMs?: number
  readonly tags?: readonly string[]
}

/** A call of a cache. */
export type Call = { readonly cache: CacheName } & (
  | { readonly do: 'set'; readonly key: Key; readonly value: unknown; readonly life: Life }
  | { readonly do: 'setMany'; readonly items: readonly (Life & { readonly key: Key; readonly value: unknown })[] }
  | {
      readonly do: 'getOrSet'
      readonly key: Key
      /** What is loaded; undefined for nothing. */
      readonly loaded: unknown
      readonly life: Life & { readonly negativeTtlMs?: number }
    }
  | { readonly do: 'get' | 'has' | 'delete'; readonly key: Key }
  | { readonly do: 'getMany'; readonly keys: readonly Key[] }
  | { readonly do: 'invalidateTags'; readonly tags: readonly string[] }
  | { readonly do: 'clear' | 'size' | 'keys' | 'entries' }
)

/** What is done in one go: a call, a while in which nothing is done, or a transaction, which may be undone and have others in it. */
export type Step =
  | Call
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'transaction'; readonly steps: readonly Step[]; readonly commits: boolean }
