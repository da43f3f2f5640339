import type { Session } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import { Cache, type Remote } from './cache.ts'
import { newGeneration } from './entry.ts'
import { type CacheOptions, type ResolvedOptions, readOptions } from './options.ts'
import { RemoteChanges } from './remote-changes.ts'
import { StorageLevel } from './storage-level.ts'

/** Memory that nobody else can put out of date. */
const ALONE: Remote = { trusted: true, compared: async () => undefined, tell: () => undefined }

interface Made {
  readonly cache: Cache
  readonly options: ResolvedOptions
}

/** The caches of a storage, by name. */
export class Caches {
  readonly #session: Session
  readonly #assertUsable: () => void
  readonly #writer: number = newGeneration()
  readonly #made = new Map<string, Made>()
  readonly #remote: RemoteChanges

  /** @param assertUsable throws where the storage may not be used. */
  constructor(session: Session, assertUsable: () => void) {
    this.#session = session
    this.#assertUsable = assertUsable
    this.#remote = new RemoteChanges(session, this.#writer)
  }

  /**
   * The cache of a name, made when it is first asked for.
   *
   * @throws ValidationError; ConfigurationError where it was made with other options.
   */
  get(name: string, options?: CacheOptions): Cache {
    const known = this.#made.get(name)
    if (known === undefined) return this.#make(name, readOptions(name, options ?? {}))
    if (options !== undefined) assertSame(name, known.options, readOptions(name, options))
    return known.cache
  }

  #make(name: string, options: ResolvedOptions): Cache {
    const shared = options.levels.includes('storage')
    const cache = new Cache(name, options, {
      clock: this.#session.clock,
      assertUsable: this.#assertUsable,
      second: shared ? new StorageLevel(this.#session, name, this.#writer) : undefined,
      remote: shared ? this.#remote : ALONE,
    })
    if (shared) this.#remote.follow(name, cache)
    this.#made.set(name, { cache, options })
    return cache
  }

  /** Stops what runs for the caches. */
  close(): Promise<void> {
    return this.#remote.close()
  }
}

function assertSame(name: string, known: ResolvedOptions, asked: ResolvedOptions): void {
  const names = [...new Set([...Object.keys(known), ...Object.keys(asked)])] as (keyof ResolvedOptions)[]
  const different = names.filter((option) => String(known[option]) !== String(asked[option]))
  if (different.length === 0) return
  throw new ConfigurationError(`The cache ${name} was made with other options: ${different.join(', ')}.`, {
    hint: 'Give its options in one place, and elsewhere ask for it by its name alone.',
  })
}
