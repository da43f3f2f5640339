/** A clock that moves only when it is told to, so that the model knows every moment. */
export class StoppedClock {
  #ms = Date.UTC(2026, 0, 1)

  now(): number {
    return this.#ms
  }

  advance(ms: number): void {
    this.#ms += ms
  }
}
