import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ n: number }>(),
  other: queue<{ n: number }>(),
})

/** Resolves for all when so many have come. */
function meetingOf(count: number): () => Promise<void> {
  const all = Promise.withResolvers<void>()
  let come = 0
  return () => {
    if (++come >= count) all.resolve()
    return all.promise
  }
}

/** Awaits a condition, for at most ten seconds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 500 && !(await holds()); looks++) await sleep(20)
}

/** Transactions that are open while others work on the same queues: none of them need be undone. */
export const queueContentionCases: readonly ConformanceCase[] = [
  {
    id: 'queue/long-transaction',
    title: 'A handler whose transaction is open for longer than the lease runs once',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      let ran = 0
      const work = () =>
        jobs.work(
          async (_, { tx }) => {
            ran++
            await tx.repository('done').create({ id: 'x' })
            await sleep(700)
          },
          { leaseMs: 300, pollMs: 50 },
        )
      const workers = [work(), work()]
      assert.equal((await jobs.waitFor(id, { timeoutMs: 20_000 })).attempt, 1)
      for (const worker of workers) await worker.stop()
      assert.equal(ran, 1)
      assert.equal(await storage.repository('done').count(), 1)
    },
  },
  {
    id: 'queue/busy-group',
    title: 'A handler whose transaction is open while jobs are added to its group runs once, and the next gets through',
    needs: ['skipsLocked'],
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      const [began, added] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const ran: number[] = []
      await jobs.enqueue({ n: 0 }, { group: 'g' })
      const worker = jobs.work(
        async (job, { tx }) => {
          ran.push(job.data.n)
          await tx.repository('done').create({ id: job.id })
          began.resolve()
          await added.promise
        },
        { concurrency: 3 },
      )
      await began.promise
      for (let n = 1; n <= 3; n++) await jobs.enqueue({ n }, { group: 'g' })
      added.resolve()
      await until(async () => (await jobs.stats()).completed === 4)
      await worker.stop()
      assert.deepEqual(ran, [0, 1, 2, 3])
    },
  },
  {
    id: 'queue/fan-in-at-once',
    title: 'Handlers whose transactions are open at once, and that one job comes after, run once each',
    needs: ['skipsLocked'],
    async run({ open }) {
      const storage = await open(schema)
      const [jobs, other] = [storage.queue('jobs'), storage.queue('other')]
      const before = await jobs.enqueueMany(Array.from({ length: 6 }, (_, n) => ({ data: { n } })))
      const last = await other.enqueue({ n: 9 }, { after: before, group: 'g' })
      const meet = meetingOf(before.length)
      let ran = 0
      const workers = storage.work({
        jobs: {
          handler: async (job, { tx }) => {
            ran++
            await tx.repository('done').create({ id: job.id })
            await meet()
          },
          concurrency: before.length,
        },
        other: () => 'last',
      })
      assert.equal((await other.waitFor(last, { timeoutMs: 20_000 })).result, 'last')
      await workers.stop()
      assert.equal(ran, before.length)
    },
  },
  {
    id: 'queue/transactions-one-group',
    title: 'Transactions that are open at once and add jobs to one group need not be undone',
    needs: ['skipsLocked'],
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: -1 }, { group: 'g' })
      const meet = meetingOf(6)
      let ran = 0
      const add = (n: number) =>
        storage.transaction(async (tx) => {
          ran++
          await tx.repository('done').create({ id: `${n}` })
          await meet()
          await tx.queue('jobs').enqueue({ n }, { group: 'g', key: `key ${n}`, windowMs: 60_000 })
        })
      await Promise.all(Array.from({ length: 6 }, (_, n) => add(n)))
      assert.equal(ran, 6)
      const seen: number[] = []
      await jobs.drain((job) => void seen.push(job.data.n))
      assert.deepEqual(seen.toSorted(), [-1, 0, 1, 2, 3, 4, 5])
    },
  },
]
