import { TimeoutError } from '../base/errors.ts'

/** The time at which a transaction must have ended. Disposed of, it never passes. */
export class Deadline {
  /** Aborts with a `TimeoutError`; undefined without a limit. */
  readonly signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined

  constructor(timeoutMs: number | undefined) {
    if (timeoutMs === undefined) return
    const controller = new AbortController()
    this.signal = controller.signal
    this.#timer = setTimeout(() => controller.abort(new TimeoutError('The transaction', timeoutMs)), timeoutMs)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
