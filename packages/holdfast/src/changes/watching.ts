import type { Session } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { LoopBell, type LoopHost } from '../base/loop-bell.ts'
import { type History, readHead, settle } from '../history/index.ts'
import { checkKnown, checkSignal, checkWhole, describe } from '../schema/index.ts'
import { type Change, readFeed } from './feed.ts'

/** How changes are watched. */
export interface WatchOptions {
  /**
   * Where to begin: behind the change with this cursor; null with the first change that is kept. Left out, with what is committed from
   * now on.
   */
  readonly after?: string | null | undefined
  /** Ends the watching, without an error. */
  readonly signal?: AbortSignal
  /** How often to look without being woken, in milliseconds; 1,000 unless given. */
  readonly pollMs?: number
}

/** How many changes are read at once. No more than these are held, however slow the loop is. */
const BATCH = 100
const POLL_MS = 1_000

/**
 * The committed changes of a model, in order, to be gone through with `for await`: once, and as slowly as you like, since they are read as
 * the loop asks for them.
 */
export class Watching<Record, Key> implements AsyncIterable<Change<Record, Key>> {
  /** Resolves when it is known where watching begins: what is committed from then on is seen. */
  readonly ready: Promise<void>
  readonly #session: Session
  readonly #history: History
  readonly #host: LoopHost
  readonly #where: unknown
  readonly #options: WatchOptions
  readonly #start: Promise<number>
  readonly #bell = new LoopBell()

  /** @throws ValidationError for unknown options. */
  constructor(session: Session, history: History, host: LoopHost, where: unknown, options: WatchOptions) {
    assertOptions(history, options)
    this.#session = session
    this.#history = history
    this.#host = host
    this.#where = where
    this.#options = options
    this.#start = this.#findStart()
    this.ready = this.#start.then(() => undefined)
    // Who loops hears of it there.
    this.ready.catch(() => undefined)
  }

  /** Ends the loop, without an error. */
  stop(): Promise<void> {
    return this.#bell.stop()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change<Record, Key>, void, undefined> {
    const { signal, pollMs = POLL_MS } = this.#options
    const bell = this.#bell
    const ended = bell.enter(this.#host, signal)
    let unsubscribe: (() => Promise<void>) | undefined
    try {
      unsubscribe = await this.#session.wake(this.#history.topic, bell.ring)
      for (let cursor = await this.#start; !bell.stopped; ) {
        bell.reset()
        const part = await readFeed(this.#session, this.#history, this.#where, cursor, BATCH)
        for (const change of part.changes) {
          if (bell.stopped) return
          yield change as Change<Record, Key>
        }
        cursor = part.cursor
        if (!part.full && !bell.stopped) await bell.heard(pollMs)
      }
    } catch (error) {
      // A storage that closes ends what watches it.
      if (!bell.stopped) throw error
    } finally {
      ended()
      await unsubscribe?.()
    }
  }

  async #findStart(): Promise<number> {
    const { after } = this.#options
    if (typeof after === 'string') return Number(after)
    if (after === undefined) await settle(this.#session, this.#history)
    const { sequence, pruned } = await readHead(this.#session, this.#history.model.name)
    return after === undefined ? sequence : pruned
  }
}

function assertOptions({ model }: History, options: WatchOptions): void {
  const issues: Issue[] = []
  checkKnown(options, ['after', 'signal', 'pollMs'], '', issues)
  const { after, signal, pollMs } = options ?? {}
  if (typeof after === 'string' ? !/^\d{1,15}$/.test(after) : after !== undefined && after !== null)
    issues.push({ path: 'after', reason: `must be the cursor of a change, or null, got ${describe(after)}` })
  checkSignal(signal, 'signal', issues)
  if (pollMs !== undefined) checkWhole(pollMs, 1, 'pollMs', issues)
  if (issues.length > 0) throw new ValidationError(`Watching ${model.name} was refused`, issues)
}
