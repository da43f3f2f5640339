import { payloadOf } from './topics.ts'

/** Notifying takes a lock that commits wait for, so it is done at most this often. */
const PAUSE_MS = 10

/**
 * Sends notifications: the first at once, those that come within ten milliseconds after it together, each topic once.
 */
export class Notifier {
  readonly #send: (payloads: readonly string[]) => Promise<void>
  #pending = new Set<string>()
  #flush: Promise<void> | undefined
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(send: (payloads: readonly string[]) => Promise<void>) {
    this.#send = send
  }

  /** Resolves when the notification is sent. */
  notify(topic: string): Promise<void> {
    this.#pending.add(payloadOf(topic))
    this.#flush ??= this.#sendSoon()
    return this.#flush
  }

  /** Resolves when nothing waits to be sent. */
  async drained(): Promise<void> {
    await this.#flush?.catch(() => undefined)
  }

  async #sendSoon(): Promise<void> {
    const waitMs = this.#lastMs + PAUSE_MS - performance.now()
    await (waitMs > 0 ? new Promise((resolve) => setTimeout(resolve, waitMs)) : undefined)
    const payloads = [...this.#pending]
    this.#pending = new Set()
    this.#flush = undefined
    this.#lastMs = performance.now()
    await this.#send(payloads)
  }
}
