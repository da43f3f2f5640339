import type { Session } from '../backend/index.ts'
import type { CacheAccess } from './access.ts'
import { Announcement } from './announcement.ts'
import type { Caches, Made } from './caches.ts'
import type { CacheOptions } from './options.ts'
import { OverlayLevel } from './overlay-level.ts'
import type { SecondLevel } from './second-level.ts'
import { TransactionCache, type WriteListener } from './transaction-cache.ts'

/** Nobody: what an overlay holds is done when the transaction commits. */
const UNHEARD: WriteListener = {
  wrote: () => undefined,
  cleared: () => undefined,
  invalidated: () => undefined,
}

/** The caches of one transaction, or of one savepoint of it. */
export class TransactionCaches {
  readonly #caches: Caches
  readonly #session: Session
  readonly #begin: () => Promise<unknown>
  readonly #outer: TransactionCaches | undefined
  readonly #used = new Map<string, CacheAccess<unknown>>()
  /** Where the used ones are kept that are in the database of the transaction. */
  readonly #levels = new Map<string, SecondLevel>()
  /** The caches that were used, in savepoints too. */
  readonly #made = new Set<Made>()
  readonly #overlays = new Map<string, OverlayLevel>()

  /**
   * @param begin begins the transaction, if it is not begun yet.
   * @param outer the transaction around a savepoint.
   */
  constructor(caches: Caches, session: Session, begin: () => Promise<unknown>, outer?: TransactionCaches) {
    this.#caches = caches
    this.#session = session
    this.#begin = begin
    this.#outer = outer
  }

  /** The cache of a name, in this transaction. */
  get(name: string, options?: CacheOptions): CacheAccess<unknown> {
    const known = this.#used.get(name)
    const made = this.#caches.made(name, options)
    if (known !== undefined) return known
    this.#note(made)
    const level = this.#caches.levelIn(this.#session, made)
    const cache =
      level === undefined
        ? new TransactionCache(made.input, this.overlay(name, made), UNHEARD)
        : new TransactionCache(made.input, level, new Announcement(made.levels, this.#session))
    this.#used.set(name, cache)
    if (level !== undefined) this.#levels.set(name, level)
    return cache
  }

  #note(made: Made): void {
    this.#made.add(made)
    if (this.#outer !== undefined) this.#outer.#note(made)
  }

  /** What this transaction writes to a cache that is not in its database. */
  overlay(name: string, made: Made): OverlayLevel {
    const known = this.#overlays.get(name)
    if (known !== undefined) return known
    const overlay: OverlayLevel =
      this.#outer === undefined
        ? new OverlayLevel(made.levels, async () => {
            await this.#begin()
            this.#session.afterCommit(() => made.levels.replay(overlay))
          })
        : new OverlayLevel(this.#outer.overlay(name, made), async () => undefined)
    this.#overlays.set(name, overlay)
    return overlay
  }

  /** Makes memory forget what was written here: nobody knows whether it is committed. */
  mayBeCommitted(): void {
    for (const made of this.#made) made.levels.forget()
  }

  /** Makes what a savepoint wrote part of the transaction around it. */
  async join(): Promise<void> {
    const outer = this.#outer
    if (outer === undefined) return
    // A clearing in here counts there, too.
    for (const { input } of this.#made) outer.#levels.get(input.name)?.forget?.()
    for (const [name, overlay] of this.#overlays) await outer.overlay(name, this.#caches.made(name)).add(overlay)
  }
}
