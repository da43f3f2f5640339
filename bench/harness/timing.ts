import type { Awaitable } from '../peers/store.ts'

/** What was timed: so many operations in so many milliseconds. */
export interface Timing {
  readonly operations: number
  readonly elapsedMs: number
}

/** Times an operation again and again for about as long as wanted; it remembers how fast it was, and so how often to call it. */
export class Stopwatch {
  readonly #operation: (n: number) => Awaitable<unknown>
  readonly #callers: number
  #next = 0
  #operationMs: number | undefined

  constructor(operation: (n: number) => Awaitable<unknown>, callers: number) {
    this.#operation = operation
    this.#callers = callers
  }

  /** Runs for about `wantedMs`, uncounted operations to find the pace aside. */
  async time(wantedMs: number): Promise<Timing> {
    this.#operationMs ??= await this.#findPace(wantedMs)
    const rounds = Math.max(1, Math.round(wantedMs / this.#operationMs / this.#callers))
    const timing = await this.#run(rounds)
    this.#operationMs = timing.elapsedMs / timing.operations
    return timing
  }

  async #findPace(wantedMs: number): Promise<number> {
    for (let rounds = 1; ; rounds *= 2) {
      const { operations, elapsedMs } = await this.#run(rounds)
      if (elapsedMs > wantedMs / 4) return elapsedMs / operations
    }
  }

  async #run(rounds: number): Promise<Timing> {
    const operations = rounds * this.#callers
    const first = this.#next
    this.#next += operations
    const started = performance.now()
    if (this.#callers === 1) await this.#loop(first, 1, rounds)
    else {
      const callers = Array.from({ length: this.#callers }, (_, caller) => first + caller)
      await Promise.all(callers.map((start) => this.#loop(start, this.#callers, rounds)))
    }
    return { operations, elapsedMs: performance.now() - started }
  }

  async #loop(first: number, step: number, rounds: number): Promise<void> {
    const operation = this.#operation
    for (let round = 0, n = first; round < rounds; round++, n += step) {
      const pending = operation(n)
      // A synchronous peer is not made to wait for a promise it did not give.
      if (pending instanceof Promise) await pending
      else if (isThenable(pending)) await pending
    }
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
