import fc from 'fast-check'
import { expect, vi } from 'vitest'
import { same } from '../random-calls/outcome.ts'
import type { StoppedClock } from '../random-calls/stopped-clock.ts'
import { CACHES, type CacheName, type Call, type Key, type Step } from './calls.ts'
import { type Content, doInModel, EMPTY, givesStale, inOrder } from './model.ts'

/** A cache, of which nothing more is known than this: the calls are made up. */
type Cache = Record<Call['do'], (...args: readonly unknown[]) => Promise<unknown>>

/** A storage or a transaction. */
export interface Store {
  cache(name: CacheName): Cache
  transaction(work: (tx: Store) => Promise<void>): Promise<void>
}

/** Does steps on empty caches and in the model, and compares what comes of each. */
export class ComparedRun {
  readonly #storage: Store
  readonly #clock: StoppedClock
  #content: Content = EMPTY

  constructor(storage: Store, clock: StoppedClock) {
    this.#storage = storage
    this.#clock = clock
  }

  async perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#do(step, this.#storage)
      if (step.do === 'transaction') for (const cache of CACHES) await this.#do({ do: 'entries', cache }, this.#storage)
    }
  }

  async #do(step: Step, on: Store): Promise<void> {
    if (step.do === 'wait') this.#clock.advance(step.ms)
    else if (step.do === 'transaction') await this.#transact(step, on)
    else await this.#call(step, on)
  }

  async #call(asked: Call, on: Store): Promise<void> {
    const inTransaction = on !== this.#storage
    const now = this.#clock.now()
    const before = this.#content[asked.cache]
    const isStale = !inTransaction && asked.do === 'getOrSet' && givesStale(before, asked.key, now)
    // That a load behind the caller's back is done can only be told from what it leaves.
    const call = isStale && asked.loaded === undefined ? { ...asked, loaded: 'late' } : asked
    const { value, entries, loads = false } = doInModel(call, before, now, inTransaction)
    const load = vi.fn(() => (call as { loaded?: unknown }).loaded)
    const cache = on.cache(call.cache)
    const label = fc.stringify(call)
    const actual = await make(call, cache, load)
    same(actual, value, () => label)
    if (isStale) await vi.waitFor(async () => expect(await cache.get(asked.key), label).not.toBe(undefined))
    expect(load, label).toHaveBeenCalledTimes(loads ? 1 : 0)
    this.#content = { ...this.#content, [call.cache]: entries }
  }

  async #transact({ steps, commits }: Step & { do: 'transaction' }, on: Store): Promise<void> {
    const before = this.#content
    const undone = new Error('undone')
    const work = async (tx: Store): Promise<void> => {
      for (const step of steps) await this.#do(step, tx)
      if (!commits) throw undone
    }
    if (commits) return on.transaction(work)
    await expect(on.transaction(work)).rejects.toBe(undone)
    this.#content = before
  }
}

async function make(call: Call, cache: Cache, load: () => unknown): Promise<unknown> {
  switch (call.do) {
    case 'set':
      return cache.set(call.key, call.value, call.life)
    case 'setMany':
      return cache.setMany(call.items)
    case 'getOrSet':
      return cache.getOrSet(call.key, load, call.life)
    case 'getMany':
      return cache.getMany(call.keys)
    case 'invalidateTags':
      return cache.invalidateTags(call.tags)
    case 'clear':
    case 'size':
      return cache[call.do]()
    case 'keys':
    case 'entries':
      return inOrder((await cache[call.do]()) as Key[])
    default:
      return cache[call.do](call.key)
  }
}
