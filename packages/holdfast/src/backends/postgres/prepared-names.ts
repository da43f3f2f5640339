import type { Wire } from './driver.ts'

/** How many statements a session keeps; each costs the server some tens of kilobytes. */
const MAX_NAMES = 500

/**
 * The statements that one session of the server has prepared, by their names.
 *
 * When several are sent together and one fails, the server skips the rest, so that nobody knows which of the new names it has, and which
 * of those that were to be closed. Those are in doubt: before their next use they are closed, which a server takes even where there is
 * nothing to close.
 */
export class PreparedNames {
  readonly #names = new Map<string, 'known' | 'doubted'>()
  /** Those prepared by the exchange under way. */
  #fresh: string[] = []
  /** Those closed by it. */
  #dropped: string[] = []

  /** Sends what is still needed before a statement of this name can be bound. */
  ready(name: string, text: string, wire: Wire): void {
    const state = this.#names.get(name)
    if (state === 'known') return
    if (state === 'doubted') wire.close({ type: 'S', name })
    wire.parse({ name, text })
    if (name === '') return
    // One in doubt is not to make room for itself.
    this.#names.delete(name)
    this.#dropOldest(wire)
    this.#names.set(name, 'known')
    this.#fresh.push(name)
  }

  /** The exchange under way succeeded. */
  confirm(): void {
    if (this.#fresh.length === 0) return
    this.#fresh = []
    this.#dropped = []
  }

  /** The exchange under way failed. */
  doubt(): void {
    for (const name of [...this.#fresh, ...this.#dropped]) this.#names.set(name, 'doubted')
    this.#fresh = []
    this.#dropped = []
  }

  /** Doubts all: the server said that it does not have one, or that one no longer fits the tables. */
  doubtAll(): void {
    for (const name of this.#names.keys()) this.#names.set(name, 'doubted')
  }

  /** Makes room for one more, if there are as many as may be. */
  #dropOldest(wire: Wire): void {
    for (const name of this.#names.keys()) {
      if (this.#names.size < MAX_NAMES) return
      if (this.#fresh.includes(name)) continue
      this.#names.delete(name)
      this.#dropped.push(name)
      wire.close({ type: 'S', name })
    }
  }
}
