import type { Session } from '../backend/index.ts'
import { type CacheKey, CLEARED, keyOf, type StoredKey, tagOf } from './key.ts'
import { changedLately, sweepSome } from './storage-plans.ts'

/** A cache of this process that holds entries in memory, as far as changes made elsewhere concern it. */
export interface Follower {
  /** Another process wrote or deleted an entry, which has this generation now. */
  changed(key: CacheKey, generation: number): void
  /** Another process cleared the cache, or nobody knows what changed. */
  cleared(): void
  /** Another process invalidated a tag. */
  invalidated(tag: string): void
  /** The second level could not be asked. */
  failed(error: unknown): void
}

const TOPIC = 'holdfast cache'

/** How long memory is believed after it was last compared with the table: the longest time for which a hint that was lost matters. */
const TRUSTED_MS = 5_000
/** How long a write may take from its statement to its commit, and be seen all the same. */
const OVERLAP_MS = 5_000
/** The same after a hint, which comes after the commit. */
const HINTED_OVERLAP_MS = 500
/** The least time between two looks. */
const PAUSE_MS = 50
/** More changes than this at once are not worth going through. */
const MAX_CHANGES = 1_000
/** How long expired rows lie about, more or less. */
const SWEEP_MS = 60_000
/** How many of them go in one statement. */
const SWEPT = 500

/**
 * Keeps the memory of this process in step with what other processes write to the table of all caches.
 *
 * Whoever writes notifies, and is heard within milliseconds. A hint can be lost, so memory is believed for five seconds after the last look
 * at the rows that changed; a read after that waits for another look. Also removes rows that are kept no longer.
 */
export class RemoteChanges {
  /** Whether memory may be believed. */
  trusted = true
  readonly #session: Session
  readonly #writer: number
  readonly #followers = new Map<string, Follower>()
  /** The markers that were acted on: a look back sees them more than once. */
  readonly #seen = new Map<string, number>()
  #started: Promise<void> | undefined
  #stop: (() => Promise<void>) | undefined
  #looking: Promise<void> | undefined
  #lookedMs = 0
  #comparedMs = 0
  #hinted: NodeJS.Timeout | undefined
  #trust: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined
  #closed = false

  constructor(session: Session, writer: number) {
    this.#session = session
    this.#writer = writer
  }

  /** Tells a cache of changes from now on. */
  follow(cache: string, follower: Follower): void {
    this.#followers.set(cache, follower)
  }

  /** Begins to listen; resolves when it does. Call it before memory is filled from the table. */
  start(): Promise<void> {
    this.#started ??= this.#begin()
    return this.#started
  }

  /** Tells other processes that there is something to look at. */
  tell(session: Session = this.#session): void {
    if (this.#session.traits.sharedBetweenProcesses) session.notify(TOPIC)
  }

  /** Resolves when memory may be believed again. */
  async compared(): Promise<void> {
    await this.start()
    if (!this.trusted) await this.#look(OVERLAP_MS)
  }

  /** Stops listening and removing. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of [this.#hinted, this.#trust, this.#sweep]) clearTimeout(timer)
    await this.#stop?.()
  }

  async #begin(): Promise<void> {
    this.#sweepLater(SWEEP_MS)
    if (!this.#session.traits.sharedBetweenProcesses) return
    this.#lookedMs = this.#comparedMs = performance.now()
    this.#believe(TRUSTED_MS)
    try {
      this.#stop = await this.#session.wake(TOPIC, () => this.#wake())
    } catch (error) {
      // Without hints, looks from time to time are enough.
      for (const follower of this.#followers.values()) follower.failed(error)
    }
  }

  #wake(): void {
    if (this.#hinted !== undefined || this.#closed) return
    const waitMs = Math.max(0, this.#lookedMs + PAUSE_MS - performance.now())
    this.#hinted = setTimeout(() => {
      this.#hinted = undefined
      void this.#look(HINTED_OVERLAP_MS)
    }, waitMs).unref()
  }

  #look(overlapMs: number): Promise<void> {
    this.#looking ??= this.#compare(overlapMs).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #compare(overlapMs: number): Promise<void> {
    const since = overlapMs === OVERLAP_MS ? this.#comparedMs : this.#lookedMs
    const startedMs = performance.now()
    const backMs = Math.ceil(startedMs - since + overlapMs)
    try {
      const plan = changedLately(this.#session)
      const { rows } = await this.#session.execute(plan, [-backMs, this.#writer, MAX_CHANGES])
      if (rows.length < MAX_CHANGES) for (const row of rows) this.#tellOf(row as unknown as StoredChange)
      else for (const follower of this.#followers.values()) follower.cleared()
      this.#lookedMs = startedMs
      if (overlapMs === OVERLAP_MS) {
        this.#comparedMs = startedMs
        this.#believe(TRUSTED_MS)
      }
    } catch (error) {
      if (this.#closed) return
      // Reads go on from memory; the next look goes back to the last one that succeeded.
      this.#believe(TRUSTED_MS / 5)
      for (const follower of this.#followers.values()) follower.failed(error)
    }
  }

  #tellOf(row: StoredChange): void {
    const follower = this.#followers.get(row.cache)
    if (follower === undefined) return
    const key = keyOf(row)
    if (key !== undefined) follower.changed(key, row.generation)
    else this.#tellOfMarker(row, follower)
  }

  #tellOfMarker(row: StoredChange, follower: Follower): void {
    const marker = JSON.stringify([row.cache, row.key])
    if (this.#seen.get(marker) === row.generation) return
    if (this.#seen.size > MAX_CHANGES) this.#seen.clear()
    this.#seen.set(marker, row.generation)
    const tag = tagOf(row)
    if (row.key === CLEARED) follower.cleared()
    else if (tag !== undefined) follower.invalidated(tag)
  }

  #believe(ms: number): void {
    clearTimeout(this.#trust)
    this.trusted = true
    this.#trust = setTimeout(() => {
      this.trusted = false
    }, ms).unref()
  }

  #sweepLater(ms: number): void {
    if (this.#closed) return
    this.#sweep = setTimeout(() => void this.#sweepNow(), ms * (0.5 + Math.random())).unref()
  }

  async #sweepNow(): Promise<void> {
    let removed = 0
    try {
      const now = this.#session.clock.now()
      removed = (await this.#session.execute(sweepSome(this.#session), [now, SWEPT])).count
    } catch (error) {
      for (const follower of this.#followers.values()) follower.failed(error)
    }
    this.#sweepLater(removed === SWEPT ? SWEEP_MS / 60 : SWEEP_MS)
  }
}

interface StoredChange extends StoredKey {
  readonly cache: string
  readonly generation: number
}
