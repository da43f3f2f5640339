import pg from 'pg'
import { probe } from '../harness/probe.ts'
import { spreadOf } from '../harness/statistics.ts'
import { open } from '../queue/peers/holdfast.ts'
import type { Bar } from './bar.ts'

const SHARE = 0.8
const JOBS = 10_000
const ROUNDS = 10
const BATCH = 1_000

/** Whether jobs run as fast while somebody looks at the database as it was: nothing that was deleted since can then be cleared away. */
export const pinnedSnapshot: Bar = {
  name: 'pinned-snapshot',
  title: 'running jobs on Postgres while a snapshot is held open for 100 k jobs, to their speed before',
  limit: `above ${SHARE}`,
  async measure({ databases, nodeOptions }) {
    const url = await (await databases.postgres()).createDatabase()
    const { free, pinned } = await probe<Speeds>(import.meta.url, 'compareSpeeds', [url], nodeOptions)
    const before = spreadOf(free).median
    const { median, low, high } = spreadOf(pinned.map((speed) => speed / before))
    return {
      pass: median >= SHARE,
      measured: `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`,
      detail: `${Math.round(before / 100) / 10} k jobs a second before; the last ${JOBS / 1000} k ran at ${((pinned.at(-1) ?? 0) / before).toFixed(2)}`,
    }
  },
}

interface Speeds {
  readonly free: readonly number[]
  readonly pinned: readonly number[]
}

/** Runs in a process of its own; gives jobs a second. */
export async function compareSpeeds(url: string): Promise<Speeds> {
  const queue = await open({ url, durability: 'full' })
  const runSome = async (): Promise<number> => {
    for (let first = 0; first < JOBS; first += BATCH) {
      await queue.enqueueMany(Array.from({ length: BATCH }, (_, index) => ({ n: first + index })))
    }
    const started = performance.now()
    await queue.run(JOBS, 'lease')
    return JOBS / ((performance.now() - started) / 1000)
  }
  const rounds = async () => {
    const speeds: number[] = []
    for (let round = 0; round < ROUNDS; round++) speeds.push(await runSome())
    return speeds
  }
  await runSome()
  const free = await rounds()
  const looking = new pg.Client({ connectionString: url })
  await looking.connect()
  await looking.query('begin isolation level repeatable read')
  await looking.query('select count(*) from holdfast_jobs')
  const pinned = await rounds()
  await looking.query('commit')
  await looking.end()
  await queue.close()
  return { free, pinned }
}
