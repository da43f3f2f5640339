import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { postgres } from '../../backends/postgres/index.ts'
import { increment, openStorage } from '../../index.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await TestDatabase.create()
})
afterAll(() => database[Symbol.asyncDispose]())

/** Runs ten jobs while something happens to the connections, and gives how often their effects were applied. */
async function runWhile(trouble: (proxy: Awaited<ReturnType<TestDatabase['proxy']>>['proxy']) => Promise<void>) {
  const { proxy, url } = await database.proxy()
  const timeouts = { connectionTimeoutMs: 1_000, queryTimeoutMs: 1_000 }
  await using worked = await openStorage(postgres({ url, ...timeouts }), { schema: crashSchema })
  await using watching = await openStorage(database.url.href, { schema: crashSchema })
  const jobs = watching.queue('work')
  await jobs.purge()
  await watching.repository('counters').upsert({ id: 'done', n: 0 }, { on: ['id'] })
  await jobs.enqueueMany(Array.from({ length: 10 }, (_, n) => ({ data: { id: String(n) } })))
  const begun = Promise.withResolvers<void>()
  const handler = worked.queue('work').work(
    async (_, { tx }) => {
      await tx.repository('counters').update('done', { n: increment(1) })
      begun.resolve()
      await sleep(50)
    },
    { concurrency: 3, leaseMs: 1_500, pollMs: 50, onError: () => undefined },
  )
  await begun.promise
  await trouble(proxy)
  while ((await jobs.stats()).completed < 10) await sleep(20)
  await handler.stop()
  return (await watching.repository('counters').getById('done')).n
}

describe('workers', () => {
  it('whose connections are cut in the middle of jobs apply the effects of each once', {
    timeout: 60_000,
  }, async () => {
    const effects = await runWhile(async (proxy) => {
      for (let cuts = 0; cuts < 5; cuts++) {
        proxy.cutAll()
        await sleep(60)
      }
    })
    expect(effects).toBe(10)
  })

  it('whose connections are open at one end only go on with new ones', { timeout: 60_000 }, async () => {
    const effects = await runWhile(async (proxy) => {
      proxy.blackhole()
      await sleep(1_500)
      proxy.heal()
      // A server finds out by its keepalives that a client is gone, within a minute; here at once.
      await database.terminate("state = 'idle in transaction'")
    })
    expect(effects).toBe(10)
  })
})
