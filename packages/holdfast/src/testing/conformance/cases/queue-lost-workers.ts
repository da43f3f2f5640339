import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { discard, type Job } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  jobs: queue<{ n: number }>({ maxAttempts: 4, backoff: { kind: 'fixed', firstMs: 0, jitter: 0 } }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  const jobs = storage.queue('jobs')
  /** Adds jobs, and loses workers with all that are there. */
  const addLost = async (numbers: readonly number[], times: number) => {
    await jobs.enqueueMany(numbers.map((n) => ({ data: { n } })))
    for (let lost = 0; lost < times; lost++) {
      await jobs.dequeueMany(numbers.length, { leaseMs: 1_000 })
      time.ahead += 2_000
    }
  }
  return { jobs, time, addLost }
}

/** Jobs whose workers were lost, perhaps because of one of them. */
export const queueLostWorkerCases: readonly ConformanceCase[] = [
  {
    id: 'queue/lost-held',
    title: 'Of jobs whose workers were lost a worker holds none that it does not run',
    async run({ open }) {
      const { jobs, addLost } = await openWithClock(open)
      let begun = Promise.withResolvers<void>()
      let ended = Promise.withResolvers<void>()
      const handle = () => {
        begun.resolve()
        return ended.promise
      }
      const workers = [() => jobs.worker(handle, { batch: 5 }), () => jobs.manyWorker(handle, { batch: 5 })]
      for (const worker of workers) {
        begun = Promise.withResolvers()
        ended = Promise.withResolvers()
        await addLost([1, 2, 3, 4, 5], 1)
        const draining = worker().drain()
        await begun.promise
        const held = await jobs.list({ state: 'active' })
        assert.deepEqual(
          held.map(({ attempt }) => attempt),
          [2],
        )
        const waiting = await jobs.list({ state: 'waiting' })
        assert.deepEqual(
          waiting.map(({ attempt }) => attempt),
          [1, 1, 1, 1],
        )
        ended.resolve()
        assert.equal(await draining, 5)
        assert.equal((await jobs.stats()).completed, 5)
        await jobs.purge()
      }
    },
  },
  {
    id: 'queue/lost-alone',
    title: 'A job with which workers were lost again and again is run while nothing else is',
    async run({ open }) {
      const { jobs, addLost } = await openWithClock(open)
      await addLost([1, 2, 3], 2)
      await jobs.enqueueMany([4, 5, 6, 7].map((n) => ({ data: { n } })))
      const running = new Set<Job<{ n: number }>>()
      const beside: number[] = []
      const worker = jobs.worker(
        async (job) => {
          running.add(job)
          await sleep(20)
          if ([...running].some(({ data }) => data.n <= 3)) beside.push(running.size)
          running.delete(job)
        },
        { concurrency: 4 },
      )
      assert.equal(await worker.drain(), 7)
      assert.deepEqual(beside, [1, 1, 1])
    },
  },
  {
    id: 'queue/lost-when-retried',
    title: 'A job that was queued again and whose worker was lost is held alone, however often it had failed before',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
      for (const attempts of [1, 4]) {
        for (let attempt = 1; attempt <= attempts; attempt++) {
          for (const job of await jobs.dequeueMany(3)) await jobs.fail(job, new Error('broken'), attempt < attempts)
        }
        assert.equal(await jobs.retryMany(), 3)
        await jobs.dequeueMany(3, { leaseMs: 1_000 })
        time.ahead += 2_000
        const active: number[] = []
        await jobs
          .worker(
            async () => {
              active.push((await jobs.stats()).active)
              throw discard('broken')
            },
            { batch: 3 },
          )
          .drain()
        assert.deepEqual(active, [1, 1, 1])
        await jobs.retryMany()
      }
    },
  },
  {
    id: 'queue/retaken',
    title: 'A worker that takes a job again which it still runs interrupts the first handler, and completes it once',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const [first, second] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()]
      const worker = jobs.work(
        async (job, { signal }) => {
          if (job.attempt > 1) return second.promise
          return new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => {
              first.resolve(signal.reason)
              resolve()
            }),
          )
        },
        { concurrency: 2, leaseMs: 60_000, pollMs: 10, onError: () => undefined },
      )
      const completed: number[] = []
      worker.on('completed', ({ attempt }) => completed.push(attempt))
      worker.on('lost', () => undefined)
      const { id } = await jobs.enqueue({ n: 1 })
      while ((await jobs.get(id))?.state !== 'active') await sleep(5)
      // The clock of the database goes on, and no sign of life has come.
      time.ahead += 120_000
      assert.equal(((await first.promise) as { code: string }).code, 'LEASE_LOST')
      assert.equal((await jobs.get(id))?.state, 'active')
      second.resolve()
      assert.equal((await jobs.waitFor(id)).attempt, 2)
      await worker.stop()
      assert.deepEqual(completed, [2])
    },
  },
]
