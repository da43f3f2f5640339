/** Where the time comes from. Tests pass one they can move. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
}

/** The clock of this process. */
export const systemClock: Clock = { now: () => Date.now() }
