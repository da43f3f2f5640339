import type { Session } from '../../backend/index.ts'
import { changeTopicOf } from './topics.ts'

/** How often those who watch jobs say so. */
export const PRESENT_MS = 5_000
/** How long they count as there. */
const REMEMBERED_MS = 3 * PRESENT_MS

/** Those who watch jobs of a queue, in whatever process: while there are any, they are told when jobs change. */
export class Audience {
  readonly #queue: string
  #isThere = false
  #leaving: NodeJS.Timeout | undefined

  constructor(queue: string) {
    this.#queue = queue
  }

  /** Somebody has said that they watch. */
  heard(): void {
    this.#isThere = true
    clearTimeout(this.#leaving)
    this.#leaving = setTimeout(() => {
      this.#isThere = false
    }, REMEMBERED_MS).unref()
  }

  /** A job has changed; in a transaction they are told when it is committed. */
  tell(session: Session): void {
    if (this.#isThere) session.notify(changeTopicOf(this.#queue))
  }
}
