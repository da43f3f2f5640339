/**
 * Tells when the one thing that is under way takes too long. Its timer stays set from one to the next, and looks when it fires which of them it is
 * for: to set one for each would take longer than to send a statement.
 */
export class Watchdog {
  #timer: NodeJS.Timeout | undefined
  #firesAt = 0
  #lateAt = 0
  /** Present while something is under way. */
  #onLate: (() => void) | undefined

  /** Calls `onLate` when `end` is not called within so many milliseconds. */
  begin(ms: number, onLate: () => void): void {
    this.#onLate = onLate
    this.#lateAt = performance.now() + ms
    if (this.#timer !== undefined && this.#firesAt <= this.#lateAt) return
    clearTimeout(this.#timer)
    this.#set(ms)
  }

  /** It has ended. */
  end(): void {
    this.#onLate = undefined
  }

  #set(ms: number): void {
    this.#firesAt = this.#lateAt
    // The connection keeps the process alive while it waits for an answer.
    this.#timer = setTimeout(this.#look, ms).unref()
  }

  readonly #look = (): void => {
    this.#timer = undefined
    const onLate = this.#onLate
    if (onLate === undefined) return
    const leftMs = this.#lateAt - performance.now()
    // Timers may fire a little early.
    if (leftMs > 1) this.#set(leftMs)
    else {
      this.#onLate = undefined
      onLate()
    }
  }
}
