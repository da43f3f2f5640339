import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { type Cache, type CacheOptions, openStorage, type Storage } from '../index.ts'

const levels: readonly NonNullable<CacheOptions['levels']>[] = [['memory'], ['storage'], ['memory', 'storage']]

const operation = fc.record({
  name: fc.constantFrom(
    'set',
    'delete',
    'clear',
    'tag',
    'commit',
    'rollback',
    'savepoint',
    'get',
    'getMany',
    'load',
    'load',
  ),
  key: fc.constantFrom('a', 'b'),
  /** For how many turns of the event loop what runs beside goes on first. */
  turns: fc.nat(5),
  /** How long a load takes, or the work in a transaction. */
  length: fc.nat(8),
})

async function turns(n: number): Promise<void> {
  for (let turn = 0; turn < n; turn++) await (turn % 2 === 0 ? Promise.resolve() : new Promise(setImmediate))
}

/** One program of reads, loads, writes and transactions that run at once on a cache, and what must never be seen. */
class Program {
  /** What is loaded: who changes it takes the key out of the cache afterwards. */
  readonly #source = new Map([
    ['a', 0],
    ['b', 0],
  ])
  readonly #storage: Storage
  readonly #cache: Cache<number>
  #next = 1

  constructor(storage: Storage, cache: Cache<number>) {
    this.#storage = storage
    this.#cache = cache
  }

  async run(kind: string, key: string, length: number): Promise<void> {
    switch (kind) {
      case 'set':
        // A program that caches what it writes writes the source too.
        return this.#write(key, length, (n) => this.#cache.set(key, n, { tags: [key] }))
      case 'delete':
        return this.#write(key, length, () => this.#cache.delete(key))
      case 'clear':
        return this.#write(key, length, () => this.#cache.clear())
      case 'tag':
        return this.#write(key, length, () => this.#cache.invalidateTags([key]))
      case 'commit':
        return this.#write(key, length, () =>
          this.#storage.transaction(async (tx) => {
            await tx.cache(this.#cache.name).delete(key)
            await turns(length)
          }),
        )
      case 'savepoint':
        return this.#write(key, length, () =>
          this.#storage.transaction(async (tx) => {
            await tx.transaction((inner) => inner.cache(this.#cache.name).delete(key))
            await tx
              .transaction(async (inner) => this.#undone(inner.cache(this.#cache.name), key))
              .catch(() => undefined)
          }),
        )
      case 'rollback':
        await this.#storage
          .transaction(async (tx) => {
            await turns(length)
            await this.#undone(tx.cache(this.#cache.name), key)
          })
          .catch(() => undefined)
        return
      case 'load':
        return this.#see(await this.#cache.getOrSet(key, () => this.#load(key, length), { tags: [key] }))
      case 'getMany':
        for (const value of await this.#cache.getMany(['a', 'b'])) this.#see(value)
        return
      default:
        return this.#see(await this.#cache.get(key))
    }
  }

  /** Nothing runs any more: what the cache has is what the source has. */
  async check(): Promise<void> {
    for (const [key, value] of this.#source) {
      expect([value, undefined]).toContain(await this.#cache.get(key))
      expect(await this.#cache.getOrSet(key, () => this.#load(key, 0), { tags: [key] })).toBe(value)
      expect(await this.#cache.get(key)).toBe(value)
    }
  }

  async #write(key: string, length: number, forget: (n: number) => Promise<unknown>): Promise<void> {
    const n = this.#next++
    this.#source.set(key, n)
    await turns(length)
    // Another write of the key may have come since: like a program that writes in order, this one caches what is there.
    await forget(this.#source.get(key) as number)
    // What was cached before a later write of the source is that write's to take away.
    if (this.#source.get(key) !== n) await this.#cache.delete(key)
  }

  async #undone(cache: { set(key: string, value: unknown): Promise<void> }, key: string): Promise<never> {
    await cache.set(key, -1)
    throw new Error('mine')
  }

  async #load(key: string, length: number): Promise<number> {
    const value = this.#source.get(key) as number
    await turns(length)
    return value
  }

  #see(value: unknown): void {
    // What was rolled back is negative.
    if (value !== undefined) expect(value).toBeGreaterThanOrEqual(0)
  }
}

describe.each(testBackends)('a cache on $name', ({ name, fresh }) => {
  let database: FreshTarget
  let storage: Storage

  beforeEach(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { autoCreate: true })
  })

  afterEach(async () => {
    await storage.close()
    await database.drop()
  })

  it.each(levels.map((level) => [level.join(' and '), level] as const))(
    'in %s never gives what was rolled back, nor keeps what a write that is done took away',
    async (title, level) => {
      const cache = storage.cache<number>(title, { levels: level })
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 2, maxLength: 15 }), async (operations) => {
          await cache.clear()
          const program = new Program(storage, cache)
          const running: Promise<void>[] = []
          for (const { name, key, turns: pause, length } of operations) {
            running.push(program.run(name, key, length))
            await turns(pause)
          }
          await Promise.all(running)
          await program.check()
        }),
        { numRuns: name === 'memory' ? 100 : name === 'sqlite' ? 40 : 10 },
      )
    },
  )
})
