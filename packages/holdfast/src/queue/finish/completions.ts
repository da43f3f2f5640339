import { setImmediate as turn } from 'node:timers/promises'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { finish, leaseLost } from './finish.ts'
import type { Finishing } from './finishing.ts'
import { isPassing, untilWritten } from './until-written.ts'

/** Knows of jobs that were taken again by the same worker while they ran. */
export interface Held {
  isRetaken(job: Job): boolean
}

/** Told of each job when its end is written down; `error` says why it was not. */
export type OnWritten = (finishing: Finishing, error?: unknown) => void

/** How many batches are written at once. */
const MOST_AT_ONCE = 2

/**
 * Writes down how jobs ended, many in one transaction: those that end while some are being written go together with the next, but that a full
 * batch does not wait for the one before it.
 */
export class Completions {
  readonly #scope: QueueScope
  readonly #most: number
  readonly #leaseMs: number
  readonly #held: Held
  readonly #onWritten: OnWritten
  #waiting: Finishing[] = []
  #writing = 0

  /**
   * @param most how many are written in one transaction.
   * @param leaseMs how long it tries while the database is away.
   */
  constructor(scope: QueueScope, most: number, leaseMs: number, held: Held, onWritten: OnWritten) {
    this.#scope = scope
    this.#most = most
    this.#leaseMs = leaseMs
    this.#held = held
    this.#onWritten = onWritten
  }

  /** Writes it down soon. */
  add(finishing: Finishing): void {
    this.#waiting.push(finishing)
    const isFull = this.#waiting.length >= this.#most
    if (this.#writing === 0 || (isFull && this.#writing < MOST_AT_ONCE)) void this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    this.#writing++
    while (this.#waiting.length > 0) {
      await turn() // Those of handlers that take no time come along.
      await this.#write(this.#waiting.splice(0, this.#most))
    }
    this.#writing--
  }

  /** @param written the ids of those that are written down already. */
  async #write(ended: readonly Finishing[], written = new Set<string>()): Promise<void> {
    let errors: readonly unknown[]
    try {
      // The database could take what this worker has taken again for what it took before.
      const own = () => ended.filter(({ job }) => !this.#held.isRetaken(job))
      const write = () => finish(this.#scope, own(), written)
      const { value: held, maybeBefore } = await untilWritten(write, this.#leaseMs)
      errors = ended.map(({ job }) => {
        const isWritten = (held.has(job.id) || maybeBefore) && !this.#held.isRetaken(job)
        return isWritten ? undefined : leaseLost(job)
      })
    } catch (error) {
      if (ended.length > 1 && !isPassing(error)) {
        // What is wrong with one must not keep the others.
        for (const one of ended) await this.#write([one], written)
        return
      }
      errors = ended.map(() => error)
    }
    for (const [at, one] of ended.entries()) this.#onWritten(one, errors[at])
  }
}
