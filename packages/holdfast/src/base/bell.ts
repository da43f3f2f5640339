import { timerMs } from './timer.ts'

/** Wakes one who waits; a ring that came before the waiting counts. */
export class Bell {
  #rung = false
  #heard: (() => void) | undefined

  readonly ring = (): void => {
    this.#rung = true
    this.#heard?.()
  }

  /** Forgets what was rung so far: who calls this is about to look. */
  reset(): void {
    this.#rung = false
  }

  /** Resolves when it is rung, or after so many milliseconds; null waits for the ring alone. */
  async heard(withinMs: number | null): Promise<void> {
    if (this.#rung) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#heard = resolve
    const timer = withinMs === null ? undefined : setTimeout(resolve, timerMs(withinMs))
    await promise
    clearTimeout(timer)
    this.#heard = undefined
  }
}
