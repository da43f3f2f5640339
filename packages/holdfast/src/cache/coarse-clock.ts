import { type Clock, systemClock } from '../base/clock.ts'

/** How long a time that was read is good for. */
const RESOLUTION_MS = 1

/**
 * A clock that asks the system once a millisecond, which costs more than all the rest of a hit in memory. The time stands still
 * while nothing but promises is worked off. Clocks of tests are asked each time.
 */
export function coarse(clock: Clock): Clock {
  return clock === systemClock ? new CoarseClock() : clock
}

class CoarseClock implements Clock {
  #known = 0

  now(): number {
    if (this.#known !== 0) return this.#known
    this.#known = Date.now()
    setTimeout(this.#forget, RESOLUTION_MS).unref()
    return this.#known
  }

  readonly #forget = (): void => {
    this.#known = 0
  }
}
