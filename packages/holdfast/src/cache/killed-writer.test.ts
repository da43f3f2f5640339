import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { kill, type StartedProcess, startProcess } from '../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../test/crash/schema.ts'
import { testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const ROUNDS = 2
/** How long a transaction is open that wrote before others began. */
const HELD_MS = 500

/** Who reads a counter through a cache, whose memory forgets nothing by itself as long as this test runs. */
class Reader {
  readonly #storage: Storage<typeof crashSchema>
  #last = 0

  constructor(storage: Storage<typeof crashSchema>) {
    this.#storage = storage
  }

  async truth(): Promise<number> {
    return (await this.#storage.repository('counters').getById('k')).n
  }

  async read(): Promise<number> {
    const cache = this.#storage.cache<number>('counters', { memoryTtlMs: 3_600_000 })
    const read = await cache.getOrSet('k', () => this.truth())
    expect(read, 'what was seen once is not taken back').toBeGreaterThanOrEqual(this.#last)
    expect(read, 'what is not committed is not seen').toBeLessThanOrEqual(await this.truth())
    this.#last = read
    return read
  }

  /** Resolves when the cache gives what is there, and would never if it had missed a change. */
  async caughtUp(): Promise<void> {
    const truth = await this.truth()
    while ((await this.read()) !== truth) await sleep(10)
  }
}

/** Reads until the process has counted so often. */
async function readWhile(readers: readonly Reader[], child: StartedProcess, times: number): Promise<void> {
  let counted = 0
  const lines = createInterface({ input: child.stdout }).on('line', () => counted++)
  while (counted < times) {
    await Promise.all(readers.map((reader) => reader.read()))
    await sleep(5)
  }
  lines.close()
}

describe.each(testBackends.filter(({ name }) => name !== 'memory'))(
  'a cache on $name whose writers are killed',
  ({ fresh }) => {
    it('never goes on giving what was there before a commit', { timeout: 180_000 }, async () => {
      const { target, drop } = await fresh()
      const storages = [
        await openStorage(target, { schema: crashSchema }),
        await openStorage(target, { schema: crashSchema }),
      ]
      const readers = storages.map((storage) => new Reader(storage))
      await storages[0]?.repository('counters').create({ id: 'k', n: 0 })
      // Dies right after the commit of what it wrote long before.
      const dying = startProcess('cache-writer.ts', target, String(HELD_MS))
      const died = once(dying, 'exit')
      await Promise.all(readers.map((reader) => reader.read()))
      await died
      expect(await readers[0]?.truth()).toBe(1)
      await Promise.all(readers.map((reader) => reader.caughtUp()))
      for (let round = 1; round <= ROUNDS; round++) {
        const writers = [startProcess('cache-writer.ts', target), startProcess('cache-writer.ts', target)]
        await Promise.all(writers.map((writer) => readWhile(readers, writer, 4 * round)))
        await Promise.all(writers.map(kill))
        await Promise.all(readers.map((reader) => reader.caughtUp()))
      }
      await Promise.all(storages.map((storage) => storage.close()))
      await drop()
    })
  },
)
