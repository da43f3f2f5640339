import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { PostgresServer } from '../../../../../test/postgres-server.ts'
import { increment, openStorage } from '../../index.ts'

const JOBS = 60

let server: PostgresServer

beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.remove())

it('workers go on when the database crashes and comes back, and each job takes effect once', async () => {
  const storage = await openStorage(server.url, { schema: crashSchema })
  const work = storage.queue('work')
  await storage.repository('counters').create({ id: 'done' })
  await work.enqueueMany(Array.from({ length: JOBS }, (_, n) => ({ data: { id: String(n) }, maxAttempts: 50 })))
  let begun = 0
  const troubles: unknown[] = []
  const worker = work.work(
    async (_, { tx }) => {
      begun++
      await tx.repository('counters').update('done', { n: increment(1) })
      await sleep(20)
    },
    { concurrency: 4, leaseMs: 1_000, pollMs: 50, onError: (error) => troubles.push(error) },
  )
  for (const jobs of [5, 20]) {
    await expect.poll(() => begun, { timeout: 20_000 }).toBeGreaterThan(jobs)
    server.kill()
    await expect.poll(() => storage.health()).toMatchObject({ ok: false })
    await server.resume()
  }
  const completed = async () => (await work.stats().catch(() => ({ completed: -1 }))).completed
  await expect.poll(completed, { timeout: 60_000 }).toBe(JOBS)
  expect((await storage.repository('counters').getById('done')).n).toBe(JOBS)
  expect(troubles).not.toEqual([])
  await worker.stop()
  await storage.close()
}, 120_000)
