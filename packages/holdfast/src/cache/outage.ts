import { ConfigurationError, ConnectionError, ValidationError } from '../base/errors.ts'
import type { Counts } from './stats.ts'

/** How long a second level that failed is left alone: nobody waits for it in vain meanwhile. */
const REST_MS = 1_000

/** Whether the second level answers; while it does not, reads go on without it. */
export class Outage {
  readonly #counts: Counts
  readonly #tell: (error: unknown) => void
  #failedMs: number | undefined

  /** @param tell is told when it begins to fail: once, until it has answered again. */
  constructor(counts: Counts, tell: (error: unknown) => void) {
    this.#counts = counts
    this.#tell = tell
  }

  /** Whether it failed when it was last asked. */
  get lasts(): boolean {
    return this.#failedMs !== undefined
  }

  /** Asks the second level; where it fails or is left alone, `otherwise` is the answer. */
  async surviving<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.#failedMs !== undefined && performance.now() - this.#failedMs < REST_MS) return otherwise
    try {
      const answer = await ask()
      this.answered()
      return answer
    } catch (error) {
      if (isMisuse(error)) throw error
      this.failed(error)
      return otherwise
    }
  }

  /** It failed. */
  failed(error: unknown): void {
    this.#counts.errors++
    const isNew = !this.lasts
    this.#failedMs = performance.now()
    if (isNew) this.#tell(error)
  }

  /** It answered. */
  answered(): void {
    this.#failedMs = undefined
  }
}

/** Whether an error says that the call was wrong, rather than that the second level is down. */
function isMisuse(error: unknown): boolean {
  return (
    error instanceof ConfigurationError ||
    error instanceof ValidationError ||
    (error instanceof ConnectionError && error.code === 'CLOSED')
  )
}
