import type { Fields, Name } from './schema.ts'

/** What changes in records: `undefined` leaves a field alone, and numbers of `add` are added. */
export interface Patch {
  readonly set: Fields
  readonly add?: Fields
}

/** The key of a record: a value, or an object of several. */
export type Key = unknown

/** A query of records. */
export interface Query {
  readonly where?: Fields
  readonly orderBy?: readonly Fields[]
  readonly limit?: number
  readonly offset?: number
  readonly select?: readonly string[]
  readonly include?: Readonly<Record<string, true | Query>>
  readonly cache?: { readonly ttlMs: number } | false
}

/** A call that writes records. */
export type Write =
  | { readonly do: 'create'; readonly model: Name; readonly record: Fields }
  | { readonly do: 'createMany'; readonly model: Name; readonly records: readonly Fields[] }
  | { readonly do: 'save'; readonly model: Name; readonly record: Fields; readonly version?: number }
  | {
      readonly do: 'upsert'
      readonly model: Name
      readonly record: Fields
      readonly on?: readonly string[]
      readonly update?: Patch
    }
  | {
      readonly do: 'update'
      readonly model: Name
      readonly key: Key
      readonly patch: Patch
      readonly ifVersion?: number
    }
  | { readonly do: 'updateMany'; readonly model: Name; readonly where: Fields; readonly patch: Patch }
  | { readonly do: 'delete'; readonly model: Name; readonly key: Key }
  | { readonly do: 'deleteMany'; readonly model: Name; readonly where: Fields }

/** A call that reads records. */
export type Read =
  | { readonly do: 'find' | 'findOne'; readonly model: Name; readonly query: Query }
  /** Reads a first record, writes, and reads the rest. */
  | { readonly do: 'stream'; readonly model: Name; readonly query: Query; readonly meanwhile?: Write }
  /** All pages. */
  | { readonly do: 'pages'; readonly model: Name; readonly query: Query; readonly first: number }
  | { readonly do: 'getById' | 'exists'; readonly model: Name; readonly key: Key }
  | { readonly do: 'findByIds'; readonly model: Name; readonly keys: readonly Key[] }
  | { readonly do: 'count'; readonly model: Name; readonly where: Fields }

/** One call of a repository. */
export type Call = Write | Read

/** What is done in one go: a call, a batch of writes, or a transaction, which may be undone and have others in it. */
export type Step =
  | Call
  | { readonly do: 'batch'; readonly operations: readonly Write[] }
  | {
      readonly do: 'transaction'
      readonly steps: readonly Step[]
      readonly commits: boolean
      /** Whether its function catches the errors of its calls. */
      readonly swallows: boolean
    }
