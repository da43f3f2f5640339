import { TimeoutError } from '../base/errors.ts'

/** The time at which something must have ended. Disposed of, it never passes. */
export class Deadline {
  /** Aborts with a `TimeoutError`; undefined without a limit. */
  readonly signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined

  /** @param what what takes longer then, as an error begins with it. */
  constructor(timeoutMs: number | undefined, what = 'The transaction') {
    if (timeoutMs === undefined) return
    const controller = new AbortController()
    this.signal = controller.signal
    this.#timer = setTimeout(() => controller.abort(new TimeoutError(what, timeoutMs)), timeoutMs)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
