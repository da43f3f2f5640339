import KeyvPostgres from '@keyv/postgres'
import KeyvSqlite from '@keyv/sqlite'
import { openStorage } from 'holdfast'
import Keyv from 'keyv'
import type { Databases } from '../harness/databases.ts'
import { probe } from '../harness/probe.ts'
import { ratioTo } from '../harness/statistics.ts'
import { Stopwatch } from '../harness/timing.ts'
import { POOL_SIZE } from '../peers/store.ts'
import type { Bar } from './bar.ts'

const LIMIT = 1
const ENTRIES = 1_000
const MANY = 64
const ROUNDS = 11
const ROUND_MS = 150

function secondLevel(
  database: 'sqlite' | 'postgres',
  title: string,
  urlOf: (databases: Databases) => Promise<string>,
): Bar {
  return {
    name: `cache-${database}`,
    title: `\`get\` of a cache, found in ${title}, to Keyv in the same database`,
    limit: `at least ${LIMIT} times as fast`,
    async measure({ databases, nodeOptions }) {
      const url = await urlOf(databases)
      const times = await probe<Times[]>(import.meta.url, 'compareReads', [database, url], nodeOptions)
      const [alone, together] = times.map(({ keyv, holdfast }) => ratioTo(keyv, holdfast))
      if (alone === undefined || together === undefined) throw new Error('nothing was measured')
      return {
        pass: alone.median >= LIMIT && together.median >= LIMIT,
        measured: `${alone.median.toFixed(2)} (${alone.low.toFixed(2)}–${alone.high.toFixed(2)})`,
        detail: `one caller; ${MANY} callers at once: ${together.median.toFixed(2)}`,
      }
    },
  }
}

/** The second level on SQLite beside Keyv's own. */
export const cacheSqlite: Bar = secondLevel('sqlite', 'SQLite', async ({ files }) => files.next('cache'))

/** The second level on Postgres beside Keyv's own. */
export const cachePostgres: Bar = secondLevel('postgres', 'Postgres', async (databases) =>
  (await databases.postgres()).createDatabase(),
)

interface Times {
  readonly keyv: number[]
  readonly holdfast: number[]
}

/** Runs in a process of its own: both in turn, round by round; one caller, then many. */
export async function compareReads(database: 'sqlite' | 'postgres', url: string): Promise<Times[]> {
  await using storage = await openStorage(database === 'sqlite' ? `sqlite:${url}` : url)
  const store =
    database === 'sqlite' ? new KeyvSqlite(`sqlite://${url}`) : new KeyvPostgres({ uri: url, max: POOL_SIZE })
  const keyv = new Keyv({ store, ttl: 3_600_000 })
  const cache = storage.cache('bench', { levels: ['storage'], ttlMs: 3_600_000 })
  const keys = Array.from({ length: ENTRIES }, (_, n) => `session ${n}`)
  for (const [n, key] of keys.entries()) {
    const value = { id: n, roles: ['a', 'b'], profile: { name: `user ${n}`, age: n } }
    await keyv.set(key, value)
    await cache.set(key, value)
  }
  const all: Times[] = []
  for (const callers of [1, MANY]) {
    const keyvWatch = new Stopwatch((n) => keyv.get(keys[n % ENTRIES] as string), callers)
    const ours = new Stopwatch((n) => cache.get(keys[n % ENTRIES] as string), callers)
    const times: Times = { keyv: [], holdfast: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [watch, into] of [
        [keyvWatch, times.keyv],
        [ours, times.holdfast],
      ] as const) {
        const { elapsedMs, operations } = await watch.time(ROUND_MS)
        into.push(elapsedMs / operations)
      }
    }
    all.push(times)
  }
  await keyv.disconnect()
  return all
}
