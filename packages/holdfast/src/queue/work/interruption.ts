import type { Job } from '../job/job.ts'

/** After their signal was aborted, handlers get so long to notice. */
export const ABORT_GRACE_MS = 1_000

/**
 * What interrupts a handler, and gives it up when it has not ended some time after: an abort controller that is made when somebody asks for
 * its signal. Most handlers never do, and making one costs more than all else that is made for a job.
 */
export class Interruption {
  readonly #retaken: WeakSet<Job>
  #controller: AbortController | undefined
  #aborted = false
  #reason: unknown
  /** The transaction that the handler is given, and whether it has begun. */
  transaction: { readonly used: boolean } | undefined
  #giveUp: ((reason: unknown) => void) | undefined
  #part: Interruption | undefined

  /** @param retaken jobs that their worker has taken again while they ran. */
  constructor(retaken: WeakSet<Job>) {
    this.#retaken = retaken
  }

  /** Whether the worker of a job has taken it again while it ran. */
  isRetaken(job: Job): boolean {
    return this.#retaken.has(job)
  }

  get aborted(): boolean {
    return this.#aborted
  }

  /** Why it was aborted. */
  get reason(): unknown {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Interrupts, once. */
  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
    this.#part?.abort(reason)
    setTimeout(() => this.#giveUp?.(reason), ABORT_GRACE_MS)
  }

  /** What interrupts one job of a batch that runs one after the other: whatever interrupts the batch does, too. */
  part(): Interruption {
    this.#part = new Interruption(this.#retaken)
    return this.#part
  }

  /** What the work of the handler gives; rejects with the reason of the interruption when it is given up. */
  heeded<T>(work: () => T): Promise<Awaited<T>> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      const given = work() as Awaited<T>
      // Handing a promise to `resolve` takes two turns more.
      if (given instanceof Promise) given.then(resolve, reject)
      else resolve(given)
    })
  }
}
