import type { Unsubscribe } from '../../backend/index.ts'
import { Topics } from '../../backend/topics.ts'

/** How often a file is asked whether another process wrote to it. */
const POLL_MS = 15

/**
 * Wakes those who wait for a topic: here at once; in other processes, which cannot be told, by finding out that the file was
 * written to, whatever was written. Nothing is asked while nobody waits.
 */
export class Wakes {
  readonly #topics = new Topics()
  readonly #subscribed = new Map<symbol, string>()
  readonly #dataVersion: () => unknown
  #timer: NodeJS.Timeout | undefined
  #version: unknown

  /** @param dataVersion a number that changes with every commit of another connection; undefined where it cannot be asked now. */
  constructor(dataVersion: () => unknown) {
    this.#dataVersion = dataVersion
  }

  notify(topic: string): void {
    this.#topics.notify(topic)
  }

  wake(topic: string, onWake: () => void): Unsubscribe {
    const subscription = Symbol(topic)
    const remove = this.#topics.add(topic, onWake)
    this.#subscribed.set(subscription, topic)
    this.#watch()
    return async () => {
      this.#subscribed.delete(subscription)
      if (this.#subscribed.size === 0) this.close()
      await remove()
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #watch(): void {
    if (this.#timer !== undefined) return
    this.#version = this.#ask()
    this.#timer = setInterval(() => this.#poll(), POLL_MS)
    this.#timer.unref()
  }

  #poll(): void {
    const version = this.#ask()
    if (version === undefined || version === this.#version) return
    this.#version = version
    for (const topic of new Set(this.#subscribed.values())) this.#topics.notify(topic)
  }

  /** A file that cannot be asked, since it is locked whole or its disk fails, may be at the next look; its next reader is told why not. */
  #ask(): unknown {
    try {
      return this.#dataVersion()
    } catch {
      return undefined
    }
  }
}
