import type { Unsubscribe } from './port.ts'

/** Who wants to be woken, by topic. */
export class Topics {
  readonly #listeners = new Map<string, Set<{ readonly onWake: () => void }>>()

  /** Calls back after each `notify` of the topic, until the function that is given back is called. */
  add(topic: string, onWake: () => void): Unsubscribe {
    const listeners = this.#listeners.get(topic) ?? new Set()
    const listener = { onWake }
    this.#listeners.set(topic, listeners.add(listener))
    return async () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(topic) === listeners) this.#listeners.delete(topic)
    }
  }

  /** Wakes everybody on a topic, when the present work is done. */
  notify(topic: string): void {
    const listeners = this.#listeners.get(topic)
    for (const listener of listeners ?? []) {
      queueMicrotask(() => {
        if (listeners?.has(listener)) listener.onWake()
      })
    }
  }
}
