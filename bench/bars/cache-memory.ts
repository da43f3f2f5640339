import { openStorage } from 'holdfast'
import { LRUCache } from 'lru-cache'
import { probe } from '../harness/probe.ts'
import { ratioTo } from '../harness/statistics.ts'
import { Stopwatch } from '../harness/timing.ts'
import type { Bar } from './bar.ts'

const LIMIT = 1.5
const ENTRIES = 1_000
const ROUNDS = 15
const ROUND_MS = 100

/** What a hit in memory costs, each awaited, beside the same of plain lru-cache. */
export const cacheMemory: Bar = {
  name: 'cache-memory',
  title: '`get` of a cache, found in memory, to `get` of lru-cache',
  limit: `within ${LIMIT} times`,
  async measure({ nodeOptions }) {
    const times = await probe<Record<Kind, Times>>(import.meta.url, 'compareHits', [], nodeOptions)
    const of = (kind: Kind) => ratioTo(times[kind].holdfast, times[kind].lru)
    const [text, nested, frozen] = [of('text'), of('nested'), of('frozen')]
    return {
      pass: text.median <= LIMIT && frozen.median <= LIMIT,
      measured: `${text.median.toFixed(2)} (${text.low.toFixed(2)}–${text.high.toFixed(2)})`,
      detail: `texts; small nested objects: ${frozen.median.toFixed(2)} where they are frozen, ${nested.median.toFixed(2)} as copies`,
    }
  },
}

type Kind = 'text' | 'nested' | 'frozen'

interface Times {
  readonly lru: number[]
  readonly holdfast: number[]
}

/** Runs in a process of its own: both in turn, round by round. */
export async function compareHits(): Promise<Record<Kind, Times>> {
  await using storage = await openStorage('memory:')
  const keys = Array.from({ length: ENTRIES }, (_, n) => `session ${n}`)
  const compare = async (kind: Kind, make: (n: number) => object | string): Promise<Times> => {
    const lru = new LRUCache<string, object | string>({ max: 10_000 })
    const cache = storage.cache(kind, { levels: ['memory'], max: 10_000, frozen: kind === 'frozen' })
    for (const [n, key] of keys.entries()) {
      lru.set(key, make(n))
      await cache.set(key, make(n))
    }
    // Both are awaited: a promise is what any store behind memory would give.
    const plain = new Stopwatch(async (n) => lru.get(keys[n % ENTRIES] as string), 1)
    const ours = new Stopwatch((n) => cache.get(keys[n % ENTRIES] as string), 1)
    const times: Times = { lru: [], holdfast: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [watch, into] of [
        [plain, times.lru],
        [ours, times.holdfast],
      ] as const) {
        const { elapsedMs, operations } = await watch.time(ROUND_MS)
        into.push(elapsedMs / operations)
      }
    }
    return times
  }
  const nested = (n: number) => ({ id: n, roles: ['a', 'b'], profile: { name: `user ${n}`, age: n } })
  return {
    text: await compare('text', (n) => `value ${n}`),
    nested: await compare('nested', nested),
    frozen: await compare('frozen', nested),
  }
}
