import { TimeoutError } from '../../base/errors.ts'

/** Lets so many in at a time; others wait, and come in the order in which they came. */
export class Turns {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(most: number) {
    this.#free = most
  }

  /** Takes a turn if there is one now. */
  tryTake(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  /**
   * Waits for a turn, at most so many milliseconds; 0 for as long as it takes.
   *
   * @throws TimeoutError
   */
  take(what: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const enter = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.add(enter)
      if (timeoutMs === 0) return
      timer = setTimeout(() => {
        this.#waiting.delete(enter)
        reject(new TimeoutError(what, timeoutMs))
      }, timeoutMs)
    })
  }

  /** Gives a turn back: to whoever has waited longest. */
  give(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#free++
    else {
      this.#waiting.delete(next)
      next()
    }
  }
}
