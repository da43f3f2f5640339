/** What committed transactions did, on its way to a second level outside the database, one after the other. */
export class Replays {
  readonly #failed: (error: unknown) => void
  #last: Promise<void> | undefined

  /** @param failed is told of what did not get there. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Settles when what is on its way by now has arrived; undefined where nothing is. */
  get last(): Promise<void> | undefined {
    return this.#last
  }

  /** Begins at once where nothing is on its way. */
  add(replay: () => Promise<void>): void {
    const before = this.#last
    const replaying = (before === undefined ? replay() : before.then(replay)).catch(this.#failed).finally(() => {
      if (this.#last === replaying) this.#last = undefined
    })
    this.#last = replaying
  }
}
