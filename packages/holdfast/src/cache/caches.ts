import type { Session } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import type { Cache } from './access.ts'
import { newGeneration } from './entry.ts'
import type { InputContext } from './input.ts'
import { KeyvLevel } from './keyv-level.ts'
import { type CacheHost, Levels, type Remote } from './levels.ts'
import { NamedCache } from './named-cache.ts'
import { type CacheOptions, type ResolvedOptions, readOptions } from './options.ts'
import { RemoteChanges } from './remote-changes.ts'
import type { SecondLevel } from './second-level.ts'
import { StorageLevel } from './storage-level.ts'

/** Memory that nobody else can put out of date. */
const ALONE: Remote = { trusted: true, compared: async () => undefined, tell: () => undefined }

/** A cache that was made, and what it is made of. */
export interface Made {
  readonly cache: Cache<unknown>
  readonly levels: Levels
  readonly input: InputContext
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
  get(name: string, options?: CacheOptions): Cache<unknown> {
    return this.made(name, options).cache
  }

  /** Like `get`, with what the cache is made of. */
  made(name: string, options?: CacheOptions): Made {
    const known = this.#made.get(name)
    if (known === undefined) return this.#make(name, readOptions(name, options ?? {}))
    if (options !== undefined) assertSame(name, known.input.options, readOptions(name, options))
    return known
  }

  /** The second level of a cache in a transaction; undefined where that is not in the database. */
  levelIn(session: Session, { input: { name, options } }: Made): SecondLevel | undefined {
    return options.levels.includes('storage') ? new StorageLevel(session, name, this.#writer) : undefined
  }

  #make(name: string, options: ResolvedOptions): Made {
    const shared = options.levels.includes('storage')
    const host: CacheHost = {
      clock: this.#session.clock,
      assertUsable: this.#assertUsable,
      second: this.#secondOf(name, options),
      remote: shared ? this.#remote : ALONE,
    }
    const levels = new Levels(options, host)
    const input = { name, options, now: () => host.clock.now() }
    const made = { cache: new NamedCache(input, host, levels), levels, input }
    if (shared) this.#remote.follow(name, levels)
    this.#made.set(name, made)
    return made
  }

  #secondOf(name: string, { levels }: ResolvedOptions): SecondLevel | undefined {
    const second = levels.at(-1)
    if (second === 'storage') return new StorageLevel(this.#session, name, this.#writer)
    return second === undefined || second === 'memory' ? undefined : new KeyvLevel(second, name, this.#session.clock)
  }

  /** Stops what runs for the caches. */
  close(): Promise<void> {
    return this.#remote.close()
  }
}

function assertSame(name: string, known: ResolvedOptions, asked: ResolvedOptions): void {
  const names = [...new Set([...Object.keys(known), ...Object.keys(asked)])] as (keyof ResolvedOptions)[]
  const different = names.filter((option) => !isSame(known[option], asked[option]))
  if (different.length === 0) return
  throw new ConfigurationError(`The cache ${name} was made with other options: ${different.join(', ')}.`, {
    hint: 'Give its options in one place, and elsewhere ask for it by its name alone.',
  })
}

function isSame(known: unknown, asked: unknown): boolean {
  if (!Array.isArray(known) || !Array.isArray(asked)) return known === asked
  return known.length === asked.length && known.every((level, index) => level === asked[index])
}
