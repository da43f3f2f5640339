/**
 * What a cache holds, to go through or to have whole: `for await (const key of cache.keys())` takes constant memory, and
 * `await cache.keys()` gives a list.
 */
export class Listing<T> implements AsyncIterable<T>, PromiseLike<T[]> {
  readonly #start: () => AsyncIterable<T>

  constructor(start: () => AsyncIterable<T>) {
    this.#start = start
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#start()[Symbol.asyncIterator]()
  }

  // biome-ignore lint/suspicious/noThenProperty: it is there to be awaited.
  then<Fulfilled = T[], Rejected = never>(
    onFulfilled?: ((items: T[]) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.#all().then(onFulfilled, onRejected)
  }

  async #all(): Promise<T[]> {
    const items: T[] = []
    for await (const item of this.#start()) items.push(item)
    return items
  }
}
