import type { CacheKey } from './key.ts'

/** Something under way whose outcome memory is to hold, unless the key was written meanwhile. */
export class Flight<Outcome> {
  /** Whether what it brings is out of date. */
  spoiled = false
  readonly outcome: Promise<Outcome>

  constructor(start: (flight: Flight<Outcome>) => Promise<Outcome>) {
    this.outcome = start(this)
  }
}

/** What is under way, one flight for each key. */
export class Flights<Outcome> {
  readonly #flights = new Map<CacheKey, Flight<Outcome>>()

  get(key: CacheKey): Flight<Outcome> | undefined {
    return this.#flights.get(key)
  }

  /** Starts a flight in place of the one before, which comes too late then; it is there until it has settled or is spoiled. */
  start(key: CacheKey, work: (flight: Flight<Outcome>) => Promise<Outcome>): Flight<Outcome> {
    this.mark(key)
    const flight = new Flight(work)
    this.#flights.set(key, flight)
    const settled = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    flight.outcome.then(settled, settled)
    return flight
  }

  /** What is under way for a key comes too late. Who waits for it gets it; who comes from now on does not. */
  spoil(key: CacheKey): void {
    const flight = this.#flights.get(key)
    if (flight === undefined) return
    flight.spoiled = true
    this.#flights.delete(key)
  }

  /** Like `spoil`, but it stays: what comes after it must wait for it. */
  mark(key: CacheKey): void {
    const flight = this.#flights.get(key)
    if (flight !== undefined) flight.spoiled = true
  }

  /** Like `mark`, for all. */
  markAll(): void {
    for (const flight of this.#flights.values()) flight.spoiled = true
  }

  /** All that is under way comes too late. */
  spoilAll(): void {
    this.markAll()
    this.#flights.clear()
  }
}
