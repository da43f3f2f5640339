import { setImmediate as turn } from 'node:timers/promises'
import type { QueueScope } from '../job/scope.ts'
import { finish, leaseLost } from './finish.ts'
import type { Finishing } from './finishing.ts'

/** Told of each job when its end is written down; `error` says why it was not. */
export type OnWritten = (finishing: Finishing, error?: unknown) => void

/** Writes down how jobs ended, many in one transaction: those that end while some are being written go together with the next. */
export class Completions {
  readonly #scope: QueueScope
  readonly #most: number
  readonly #onWritten: OnWritten
  #waiting: Finishing[] = []
  #flushing = false

  /** @param most how many are written in one transaction. */
  constructor(scope: QueueScope, most: number, onWritten: OnWritten) {
    this.#scope = scope
    this.#most = most
    this.#onWritten = onWritten
  }

  /** Writes it down soon. */
  add(finishing: Finishing): void {
    this.#waiting.push(finishing)
    if (!this.#flushing) void this.#flush()
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    await turn() // Those of handlers that take no time come along.
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, this.#most))
    this.#flushing = false
  }

  async #write(ended: readonly Finishing[]): Promise<void> {
    let held: ReadonlySet<string>
    try {
      held = await finish(this.#scope, ended)
    } catch (error) {
      // What is wrong with one must not keep the others.
      if (ended.length > 1) for (const one of ended) await this.#write([one])
      else for (const one of ended) this.#onWritten(one, error)
      return
    }
    for (const one of ended) this.#onWritten(one, held.has(one.job.id) ? undefined : leaseLost(one.job))
  }
}
