import { setTimeout as sleep } from 'node:timers/promises'
import { timerMs } from '../../base/timer.ts'
import type { QueueScope } from '../job/scope.ts'
import { fireTicks, nextTickWithin } from './ticks.ts'

/** Between two looks at a tick that this machine's clock holds due and the database's does not. */
const RECHECK_MS = 20

/**
 * Fires the ticks of a queue on time. Each worker has one; for each tick one of them comes first, and the others find nothing to do.
 */
export class Ticker {
  readonly #scope: QueueScope
  readonly #pollMs: number
  readonly #report: (error: unknown) => void
  readonly #stopped = new AbortController()
  readonly #looping: Promise<void>

  constructor(scope: QueueScope, pollMs: number, report: (error: unknown) => void) {
    this.#scope = scope
    this.#pollMs = pollMs
    this.#report = report
    this.#looping = this.#loop()
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#looping
  }

  async #loop(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      let pauseMs = this.#pollMs
      try {
        pauseMs = await this.#look()
      } catch (error) {
        this.#report(error)
      }
      await this.#sleep(pauseMs)
    }
  }

  /** Fires what is due; gives how long there is nothing to do. The database is asked again within `pollMs`, whatever our clock says. */
  async #look(): Promise<number> {
    const nextAt = await nextTickWithin(this.#scope, this.#pollMs)
    if (nextAt === null) return this.#pollMs
    const aheadMs = nextAt.getTime() - this.#scope.session.clock.now()
    if (aheadMs > 0) await this.#sleep(Math.min(aheadMs, this.#pollMs))
    if (this.#stopped.signal.aborted) return 0
    return (await fireTicks(this.#scope)) > 0 ? 0 : Math.min(RECHECK_MS, this.#pollMs)
  }

  async #sleep(ms: number): Promise<void> {
    // Rejects when it is stopped meanwhile, which is what the loop asks next.
    await sleep(timerMs(ms), undefined, { signal: this.#stopped.signal }).catch(() => undefined)
  }
}
