import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { postgres } from '../../backends/postgres/index.ts'
import { defineSchema, openStorage, queue, type Storage, t, table } from '../../index.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ n: number }>({ maxAttempts: 3, backoff: { kind: 'fixed', firstMs: 60_000, jitter: 0 } }),
})

let database: TestDatabase
let storage: Storage<typeof schema>

beforeAll(async () => {
  database = await TestDatabase.create()
  storage = await openStorage(postgres({ url: database.url.href, statementTimeoutMs: 300 }), { schema })
})
afterAll(async () => {
  await storage.close()
  await database[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await storage.queue('jobs').cancelMany({})
  await storage.queue('jobs').purge()
  await storage.repository('done').deleteMany({})
})

const add = (count: number) =>
  storage.queue('jobs').enqueueMany(Array.from({ length: count }, (_, n) => ({ data: { n } })))

const outcomes = async () => {
  const all = await storage.queue('jobs').list()
  return all.sort((a, b) => a.data.n - b.data.n).map(({ state, attempt }) => `${state} ${attempt}`)
}

describe('batches in one transaction', () => {
  it('are run again without the job whose statement took too long', async () => {
    await add(4)
    const calls: number[] = []
    const worker = storage.queue('jobs').worker(
      async ({ data: { n } }, { tx }) => {
        calls.push(n)
        await tx.repository('done').create({ id: String(n) })
        if (n === 1) await tx.sql.selectNoFrom(({ fn, val }) => fn('pg_sleep', [val(2)]).as('slept')).execute()
      },
      { mode: 'transaction' },
    )
    await worker.drain()
    const [first, slow, ...others] = await outcomes()
    expect([first, ...others]).toEqual(['completed 1', 'completed 1', 'completed 1'])
    expect(slow).toMatch(/^(scheduled|waiting) 1$/)
    expect(calls).toEqual([0, 1, 0, 2, 3])
    expect(await storage.repository('done').count()).toBe(3)
  })

  it('that are stopped hand back what was not begun, also where one of them was cancelled', async () => {
    const [, cancelled] = await add(3)
    const begun = Promise.withResolvers<void>()
    const worker = storage.queue('jobs').work(
      (_, { signal }) => {
        begun.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
      { mode: 'transaction' },
    )
    await begun.promise
    await storage.queue('jobs').cancel(cancelled?.id as string)
    await worker.stop({ timeoutMs: 0 })
    const [stopped, ...others] = await outcomes()
    expect(stopped).toMatch(/^(scheduled|waiting) 1$/)
    expect(others).toEqual(['cancelled 1', 'waiting 0'])
  })
})

describe('workers', () => {
  it('take no more than they can write down', async () => {
    await add(300)
    const locking = Promise.withResolvers<void>()
    let locked: Promise<unknown> | undefined
    const worker = storage.queue('jobs').workMany(
      async (jobs) => {
        // Nobody can write down the end of these meanwhile.
        locked ??= storage.transaction(async (tx) => {
          await tx.repository('holdfastJobs').updateMany({ id: { in: jobs.map(({ id }) => id) } }, { progress: 1 })
          await locking.promise
        })
        await sleep(20)
      },
      { batch: 10, pollMs: 20 },
    )
    await sleep(250)
    expect((await storage.queue('jobs').stats()).active).toBeLessThanOrEqual(30)
    locking.resolve()
    await locked
    while ((await storage.queue('jobs').stats()).completed < 300) await sleep(20)
    await worker.stop()
  })

  it('write down what was done when the database is there again', async () => {
    const { proxy, url } = await database.proxy()
    await using cut = await openStorage(postgres({ url, connectionTimeoutMs: 500, queryTimeoutMs: 500 }), { schema })
    await add(3)
    const worker = cut.queue('jobs').work(
      async ({ data }) => {
        proxy.blackhole()
        proxy.cutAll()
        setTimeout(() => proxy.heal(), 300)
        if (data.n === 1) throw new Error('broken')
      },
      { onError: () => undefined, pollMs: 50, concurrency: 3 },
    )
    while ((await storage.queue('jobs').stats()).active > 0 || (await storage.queue('jobs').stats()).completed === 0)
      await sleep(20)
    await worker.stop()
    const [first, failed, last] = await outcomes()
    expect([first, last]).toEqual(['completed 1', 'completed 1'])
    expect(failed).toMatch(/^(scheduled|waiting) 1$/)
  })
})
