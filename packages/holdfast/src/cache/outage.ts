/** How long a second level that failed is left alone: nobody waits for it in vain meanwhile. */
const REST_MS = 1_000

/** Whether the second level answers. */
export class Outage {
  #failedMs: number | undefined

  /** Whether it failed when it was last asked. */
  get lasts(): boolean {
    return this.#failedMs !== undefined
  }

  /** Whether it is not worth asking yet. */
  get rests(): boolean {
    return this.#failedMs !== undefined && performance.now() - this.#failedMs < REST_MS
  }

  /** It failed; whether that is new. */
  failed(): boolean {
    const isNew = !this.lasts
    this.#failedMs = performance.now()
    return isNew
  }

  /** It answered. */
  answered(): void {
    this.#failedMs = undefined
  }
}
