import { setImmediate as turn } from 'node:timers/promises'
import type { QueueScope } from '../job/scope.ts'
import { finish } from './finish.ts'
import type { Finishing } from './finishing.ts'

interface Waiting {
  readonly finishing: Finishing
  readonly settle: (held: boolean) => void
  readonly fail: (error: unknown) => void
}

/** Writes down how jobs ended, many in one transaction: those that end while some are being written go together with the next. */
export class Completions {
  readonly #scope: QueueScope
  readonly #most: number
  #waiting: Waiting[] = []
  #flushing = false

  /** @param most how many are written in one transaction. */
  constructor(scope: QueueScope, most: number) {
    this.#scope = scope
    this.#most = most
  }

  /** Whether the lease was still held, once it is written. */
  add(finishing: Finishing): Promise<boolean> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ finishing, settle, fail })
      if (!this.#flushing) void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    await turn() // Those of handlers that take no time come along.
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, this.#most))
    this.#flushing = false
  }

  async #write(ended: readonly Waiting[]): Promise<void> {
    try {
      const held = await finish(
        this.#scope,
        ended.map(({ finishing }) => finishing),
      )
      for (const { finishing, settle } of ended) settle(held.has(finishing.job.id))
    } catch (error) {
      // What is wrong with one must not keep the others.
      if (ended.length > 1) for (const one of ended) await this.#write([one])
      else for (const { fail } of ended) fail(error)
    }
  }
}
