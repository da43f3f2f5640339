import { defineSchema, openStorage, queue } from 'holdfast'
import { PostgresServer, runOnce, SERVER_SETTINGS } from '../harness/databases.ts'
import { probe } from '../harness/probe.ts'
import type { Bar } from './bar.ts'

const LIMIT = 2
const WAITING = 20_000
const JOBS = 500_000
const STEP = 1_000
/** Longer than autovacuum rests, so that what is left is what it leaves. */
const AFTERWARDS_MS = 75_000

const schema = defineSchema({ work: queue<number>() })

/** Whether the table of live jobs grows with the jobs that have passed through it. */
export const bloat: Bar = {
  name: 'bloat',
  title: `the table of live jobs on Postgres and its indexes after ${JOBS / 1000} k jobs while ${WAITING / 1000} k wait, to their size when freshly written`,
  limit: `within ${LIMIT} times`,
  async measure({ nodeOptions }) {
    // As autovacuum comes, which is off in the others.
    await using server = await PostgresServer.start(SERVER_SETTINGS.filter((name) => !name.startsWith('autovacuum')))
    const url = await server.createDatabase()
    const perSecond = await probe<number>(import.meta.url, 'passThrough', [url], nodeOptions)
    const used = await sizeOf(url)
    await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS))
    const left = await sizeOf(url)
    await runOnce(url, 'vacuum full holdfast_jobs')
    const fresh = await sizeOf(url)
    const [after, later] = [used / fresh, left / fresh]
    return {
      pass: after <= LIMIT && later <= LIMIT,
      measured: `${after.toFixed(2)}, and ${later.toFixed(2)} once autovacuum has come`,
      detail: `${(fresh / 1e6).toFixed(1)} MB freshly written; ${(perSecond / 1000).toFixed(1)} k jobs a second`,
    }
  },
}

async function sizeOf(url: string): Promise<number> {
  const [row] = await runOnce(url, `select pg_total_relation_size('holdfast_jobs') as size`)
  return Number(row?.['size'])
}

/** Runs in a process of its own: for every thousand jobs that were run a thousand are added. Gives how many ran in a second. */
export async function passThrough(url: string): Promise<number> {
  await using storage = await openStorage(url, { schema })
  const work = storage.queue('work')
  const add = () => work.enqueueMany(Array.from({ length: STEP }, (_, data) => ({ data })))
  for (let added = 0; added < WAITING; added += STEP) await add()
  const { promise: allRan, resolve, reject } = Promise.withResolvers<void>()
  let ran = 0
  let adding: Promise<unknown> = Promise.resolve()
  const started = performance.now()
  const worker = work.work(
    () => {
      ran++
      if (ran % STEP === 0) {
        adding = adding.then(add)
        adding.catch(reject)
      }
      if (ran === JOBS) resolve()
    },
    { concurrency: 100, batch: 500 },
  )
  await allRan
  const perSecond = JOBS / ((performance.now() - started) / 1000)
  await worker.stop()
  await adding
  return perSecond
}
