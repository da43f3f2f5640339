import { payloadOf } from './topics.ts'

/** Notifying takes a lock that commits wait for, so in the long run it is done at most this often. */
const PAUSE_MS = 10
/** How many are sent at once after a quiet time, so that a few jobs now and then begin without delay. */
const BURST = 4

/** Sends notifications: a few at once, and when more come, those of ten milliseconds together, each topic once. */
export class Notifier {
  readonly #send: (payloads: readonly string[]) => Promise<void>
  #pending = new Set<string>()
  #flush: Promise<void> | undefined
  /** How many may be sent at once. */
  #credit = BURST
  #countedAt = performance.now()

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
    const waitMs = this.#takeCredit()
    await (waitMs > 0 ? new Promise((resolve) => setTimeout(resolve, waitMs)) : undefined)
    const payloads = [...this.#pending]
    this.#pending = new Set()
    this.#flush = undefined
    await this.#send(payloads)
  }

  /** How long to wait before the next is sent. */
  #takeCredit(): number {
    const now = performance.now()
    this.#credit = Math.min(BURST, this.#credit + (now - this.#countedAt) / PAUSE_MS)
    this.#countedAt = now
    this.#credit -= 1
    return Math.max(0, -this.#credit * PAUSE_MS)
  }
}
