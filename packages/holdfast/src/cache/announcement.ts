import type { Session } from '../backend/index.ts'
import type { CacheKey } from './key.ts'
import type { Levels } from './levels.ts'
import type { WriteListener } from './transaction-cache.ts'

/** Tells memory, here and in other processes, what a transaction wrote to the second level, once that is committed. */
export class Announcement implements WriteListener {
  readonly #levels: Levels
  readonly #session: Session
  readonly #keys = new Set<CacheKey>()
  readonly #tags = new Set<string>()
  #isCleared = false
  #begun = false

  constructor(levels: Levels, session: Session) {
    this.#levels = levels
    this.#session = session
  }

  wrote(keys: readonly CacheKey[]): void {
    for (const key of keys) this.#keys.add(key)
    this.#begin()
  }

  cleared(): void {
    this.#isCleared = true
    this.#begin()
  }

  invalidated(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.add(tag)
    this.#begin()
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#session.afterCommit(() => this.#announce())
  }

  #announce(): void {
    const levels = this.#levels
    if (this.#isCleared) levels.cleared()
    for (const tag of this.#tags) levels.invalidated(tag)
    for (const key of this.#keys) levels.changed(key)
    levels.remote.tell()
  }
}
