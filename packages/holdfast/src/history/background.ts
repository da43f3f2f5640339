import type { Session } from '../backend/index.ts'
import type { History } from './models.ts'
import { prune } from './pruning.ts'
import { settle } from './settling.ts'

/** How long committed versions wait for others to be settled with; who reads them before settles them first. */
const PAUSE_MS = 1_000
/** How often old versions are removed. */
const PRUNE_MS = 60_000

/** Settles what this process has committed, and removes what need not be kept any longer. */
export class BackgroundSettling {
  readonly #session: Session
  readonly #onFailure: () => void
  readonly #timers = new Map<History, NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()
  readonly #prunedAt = new Map<History, number>()

  /** @param onFailure hears of a failure; what was not settled is settled with the next versions, or by the next reader. */
  constructor(session: Session, onFailure: () => void) {
    this.#session = session
    this.#onFailure = onFailure
  }

  /** Settles the versions of a model in a while. */
  later(history: History): void {
    if (this.#timers.has(history)) return
    const timer = setTimeout(() => {
      this.#timers.delete(history)
      const running = this.#run(history)
        .catch(this.#onFailure)
        .finally(() => this.#running.delete(running))
      this.#running.add(running)
    }, PAUSE_MS)
    this.#timers.set(history, timer.unref())
  }

  async #run(history: History): Promise<void> {
    await settle(this.#session, history)
    const { keepMs } = history.model.history ?? { keepMs: null }
    const now = this.#session.clock.now()
    if (keepMs === null || now - (this.#prunedAt.get(history) ?? Number.NEGATIVE_INFINITY) < PRUNE_MS) return
    this.#prunedAt.set(history, now)
    await prune(this.#session, history, new Date(now - keepMs))
  }

  /** Begins nothing more, and lets what runs finish. */
  async close(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    await Promise.all(this.#running)
  }
}
