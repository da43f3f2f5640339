import type { Session, Unsubscribe } from '../../backend/index.ts'

/** A topic, and what is done when it is told of. */
export type Subscription = readonly [topic: string, onWake: () => void]

/** What a worker listens to. */
export class Subscriptions {
  readonly #session: Session
  readonly #wanted: readonly Subscription[]
  readonly #unsubscribe: Unsubscribe[] = []

  constructor(session: Session, wanted: readonly Subscription[]) {
    this.#session = session
    this.#wanted = wanted
  }

  /** Subscribes; after a failure, goes on where it was interrupted. */
  async begin(): Promise<void> {
    for (const [topic, onWake] of this.#wanted.slice(this.#unsubscribe.length))
      this.#unsubscribe.push(await this.#session.wake(topic, onWake))
  }

  async end(): Promise<void> {
    await Promise.all(this.#unsubscribe.map((unsubscribe) => unsubscribe()))
  }
}
