import type { GatheredWriter, Session } from '../backend/index.ts'

/** What a transaction, or a savepoint of it, has gathered to be written before the commit. */
export class Gathered {
  readonly #items = new Map<GatheredWriter<unknown>, Promise<readonly unknown[]>[]>()

  add<Item>(writer: GatheredWriter<Item>, items: Promise<readonly Item[]>): void {
    // A statement that failed fails the transaction, and then nothing is written.
    items.catch(() => undefined)
    this.#listOf(writer as GatheredWriter<unknown>).push(items)
  }

  /** Adds what a savepoint has gathered. */
  addAll(other: Gathered): void {
    for (const [writer, items] of other.#items) this.#listOf(writer).push(...items)
  }

  /** Resolves when all items are there, or failed. */
  async ready(): Promise<void> {
    await Promise.allSettled([...this.#items.values()].flat())
  }

  /** Has everything written. */
  async write(session: Session): Promise<void> {
    for (const [writer, gathered] of this.#items) {
      const items = (await Promise.all(gathered)).flat()
      if (items.length > 0) await writer.write(session, items)
    }
  }

  #listOf(writer: GatheredWriter<unknown>): Promise<readonly unknown[]>[] {
    const known = this.#items.get(writer)
    if (known !== undefined) return known
    const list: Promise<readonly unknown[]>[] = []
    this.#items.set(writer, list)
    return list
  }
}
