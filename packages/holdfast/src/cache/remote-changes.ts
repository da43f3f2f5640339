import type { Session } from '../backend/index.ts'
import { lastPlace, type PlacedChange, placeChanges, readChanges, tellsLastPlace, UNPLACED } from './change-order.ts'
import { type CacheKey, CLEARED, keyOf, tagOf } from './key.ts'
import { sweepSome } from './storage-plans.ts'

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

/** How long memory is believed after a look: the longest time for which a hint that was lost matters. */
const TRUSTED_MS = 5_000
/** The least time between two looks that hints cause. */
const PAUSE_MS = 50
/** More changes than this at once are not worth going through. */
const MAX_CHANGES = 1_000
/** So many changes without a place are found again by every look rather than given one. */
const FEW_UNPLACED = 100
/** How long expired rows lie about, more or less. */
const SWEEP_MS = 60_000
/** How long a row stays at least after it has expired, so that its last change is seen. */
const LEFT_MS = 120_000
/** After so long without a look, rows may have changed and be gone. */
const FORGOTTEN_MS = LEFT_MS / 2
/** How many of them go in one statement. */
const SWEPT = 500

/**
 * Keeps the memory of this process in step with what other processes write to the table of all caches.
 *
 * Whoever writes notifies, where the database passes that on, and is heard within milliseconds. A hint can be lost, so memory is believed for five
 * seconds after the last look at what changed; a read after that waits for another look. Also removes rows that are kept no longer.
 */
export class RemoteChanges {
  /** Whether memory may be believed. */
  trusted = true
  readonly #session: Session
  readonly #writer: number
  readonly #followers = new Map<string, Follower>()
  /** The changes that were found without a place, and acted on: the next look finds them again. */
  #seen: ReadonlyMap<string, number> = new Map()
  /** The place up to which changes were acted on. */
  #last = 0
  #started: Promise<void> | undefined
  #stop: (() => Promise<void>) | undefined
  #looking: Promise<void> | undefined
  #placing: Promise<void> | undefined
  #lookedMs = 0
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
    if (!this.trusted) await this.#look()
  }

  /** Stops listening and removing. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of [this.#hinted, this.#trust, this.#sweep]) clearTimeout(timer)
    await this.#stop?.()
    await this.#placing
  }

  async #begin(): Promise<void> {
    this.#sweepLater(SWEEP_MS)
    if (!this.#session.traits.sharedBetweenProcesses) return
    this.#lookedMs = performance.now()
    try {
      this.#stop = await this.#session.wake(TOPIC, () => this.#wake())
      // Memory is empty: what changed before does not matter.
      this.#last = await lastPlace(this.#session)
      this.#believe(TRUSTED_MS)
    } catch (error) {
      this.#failed(error)
    }
  }

  #wake(): void {
    if (this.#hinted !== undefined || this.#closed) return
    const waitMs = Math.max(0, this.#lookedMs + PAUSE_MS - performance.now())
    this.#hinted = setTimeout(async () => {
      // One that is under way may have begun before the change.
      await this.#looking
      this.#hinted = undefined
      if (!this.#closed) await this.#look()
    }, waitMs).unref()
  }

  /** One look at a time: who asks while one is under way waits for it. */
  #look(): Promise<void> {
    this.#looking ??= this.#compare().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #compare(): Promise<void> {
    const startedMs = performance.now()
    try {
      const changes = await readChanges(this.#session, this.#last, this.#writer, MAX_CHANGES)
      const last =
        changes.length < MAX_CHANGES
          ? (changes.find(tellsLastPlace)?.generation ?? this.#last)
          : await lastPlace(this.#session)
      if (changes.length === MAX_CHANGES || startedMs - this.#lookedMs > FORGOTTEN_MS) this.#cleared()
      else this.#tellOf(changes)
      const unplaced = changes.filter(({ place }) => place === UNPLACED)
      this.#seen = new Map(unplaced.map((change) => [nameOf(change), change.generation]))
      this.#last = last
      this.#lookedMs = startedMs
      this.#believe(startedMs + TRUSTED_MS - performance.now())
      if (unplaced.length > FEW_UNPLACED) this.#place()
    } catch (error) {
      // Reads go on from memory; the next look goes back to the last one that succeeded.
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (this.#closed) return
    this.#believe(TRUSTED_MS / 5)
    for (const follower of this.#followers.values()) follower.failed(error)
  }

  #cleared(): void {
    for (const follower of this.#followers.values()) follower.cleared()
  }

  #tellOf(changes: readonly PlacedChange[]): void {
    for (const change of changes) {
      const follower = this.#followers.get(change.cache)
      if (follower === undefined || this.#seen.get(nameOf(change)) === change.generation) continue
      const [key, tag] = [keyOf(change), tagOf(change)]
      if (key !== undefined) follower.changed(key, change.generation)
      else if (change.key === CLEARED) follower.cleared()
      else if (tag !== undefined) follower.invalidated(tag)
    }
  }

  /** In the background: looks go on meanwhile. */
  #place(): void {
    this.#placing ??= placeChanges(this.#session, this.#writer)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#placing = undefined
      })
  }

  #believe(ms: number): void {
    clearTimeout(this.#trust)
    this.trusted = ms > 0
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
      const until = this.#session.clock.now() - LEFT_MS
      removed = (await this.#session.execute(sweepSome(this.#session), [until, SWEPT])).count
    } catch (error) {
      for (const follower of this.#followers.values()) follower.failed(error)
    }
    this.#sweepLater(removed === SWEPT ? SWEEP_MS / 60 : SWEEP_MS)
  }
}

function nameOf({ cache, key }: PlacedChange): string {
  return JSON.stringify([cache, key])
}
