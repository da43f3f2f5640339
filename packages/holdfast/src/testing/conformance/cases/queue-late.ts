import assert from 'node:assert/strict'
import { type Job, snooze } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const HOUR_MS = 3_600_000

const schema = defineSchema({
  jobs: queue<{ n: number }>({ deadLetter: 'letters', backoff: { kind: 'fixed', firstMs: HOUR_MS, jitter: 0 } }),
  brief: queue<{ n: number }>({ startWithinMs: 60_000 }),
  narrow: queue<{ n: number }>({ concurrency: 1, startWithinMs: 60_000 }),
  rated: queue<{ n: number }>({ rate: { max: 1, perMs: HOUR_MS }, startWithinMs: 60_000 }),
  fair: queue<{ n: number }>({ groupRate: { max: 1, perMs: HOUR_MS }, groupConcurrency: 9, startWithinMs: 60_000 }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  return { storage, jobs: storage.queue('jobs'), time }
}

/** Runs what is due, and gives which jobs were run. */
async function drained(jobs: { drain(handler: (job: Job<{ n: number }>) => void): Promise<number> }) {
  const ran: number[] = []
  await jobs.drain((job) => void ran.push(job.data.n))
  return ran.toSorted()
}

/** Jobs that are of no use when they begin too late. */
export const queueLateCases: readonly ConformanceCase[] = [
  {
    id: 'queue/late',
    title: 'A job that did not begin in time has failed and says so, and its handler is not called',
    async run({ open }) {
      const { storage, jobs, time } = await openWithClock(open)
      const late = await jobs.enqueue({ n: 1 }, { startWithinMs: 60_000, priority: 5 })
      await jobs.enqueueMany([{ data: { n: 2 } }, { data: { n: 3 }, startWithinMs: 120_000 }])
      time.ahead += 61_000
      assert.deepEqual(await drained(jobs), [2, 3])
      const { state, attempt, errors } = (await jobs.get(late.id)) as Job
      assert.deepEqual([state, attempt, errors.length], ['failed', 1, 1])
      assert.match(errors[0]?.message as string, /did not begin within 60000 ms/)
      const letters = await storage.queue<{ id: string }>('letters').list()
      assert.deepEqual(
        letters.map(({ data }) => data.id),
        [late.id],
      )
      // Queued again, it has as long as at first.
      await jobs.retry(late.id)
      assert.deepEqual(await drained(jobs), [1])
    },
  },
  {
    id: 'queue/late-counted-from-its-time',
    title: 'How late a job begins is counted from when it may, and not at all once it has begun',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const bound = { startWithinMs: 60_000 }
      await jobs.enqueue({ n: 1 }, { ...bound, delayMs: HOUR_MS })
      const moved = await jobs.enqueue({ n: 2 }, bound)
      await jobs.reschedule(moved.id, { delayMs: HOUR_MS })
      await jobs.enqueueMany([
        { data: { n: 3 }, ...bound },
        { data: { n: 4 }, ...bound },
      ])
      const ended = await jobs.drain((job) => {
        if (job.data.n === 3) throw new Error('again')
        return snooze(HOUR_MS)
      })
      assert.equal(ended, 2)
      time.ahead += HOUR_MS + 30_000
      assert.deepEqual(await drained(jobs), [1, 2, 3, 4])

      // A second attempt may begin as late as it will.
      await jobs.enqueue({ n: 5 }, bound)
      await jobs.drain(() => Promise.reject(new Error('again')))
      time.ahead += 9 * HOUR_MS
      assert.deepEqual(await drained(jobs), [5])
      await jobs.enqueue({ n: 6 }, { ...bound, delayMs: 1_000 })
      time.ahead += 62_000
      assert.deepEqual(await drained(jobs), [])
    },
  },
  {
    id: 'queue/late-by-queue',
    title: 'A queue says how late its jobs may begin, unless they say so themselves',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const brief = storage.queue('brief')
      await brief.enqueue({ n: 1 })
      await brief.enqueue({ n: 2 }, { startWithinMs: 2 * HOUR_MS })
      const narrow = storage.queue('narrow')
      await narrow.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
      time.ahead += HOUR_MS
      await narrow.enqueue({ n: 4 })
      assert.equal((await brief.dequeue())?.data.n, 2)
      // Those that are late take no place.
      assert.equal((await narrow.dequeue())?.data.n, 4)
      assert.deepEqual([(await brief.stats()).failed, (await narrow.stats()).failed], [1, 3])
    },
  },
  {
    id: 'queue/late-and-rates',
    title: 'Jobs that are late do not begin, and so do not count against rates',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      for (const name of ['rated', 'fair'] as const) {
        const jobs = storage.queue(name)
        await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n }, group: 'g' })))
        await jobs.enqueue({ n: 4 }, { group: 'h', startWithinMs: 9 * HOUR_MS })
        time.ahead += 61_000
        await jobs.enqueueMany([5, 6].map((n) => ({ data: { n }, group: 'h', startWithinMs: 9 * HOUR_MS })))
        assert.deepEqual(await drained(jobs), [4])
        assert.equal((await jobs.stats()).failed, 3)
        time.ahead += HOUR_MS
        assert.deepEqual(await drained(jobs), [5])
      }
    },
  },
  {
    id: 'queue/late-in-a-transaction',
    title: 'A job that is found late in a transaction has failed when it is committed',
    async run({ open }) {
      const { storage, jobs, time } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 }, { startWithinMs: 1_000 })
      time.ahead += 2_000
      assert.equal(await storage.transaction((tx) => tx.queue('jobs').dequeue()), null)
      assert.equal((await jobs.get(id))?.state, 'failed')
    },
  },
  {
    id: 'queue/late-refused',
    title: 'A time to begin within that is none is refused',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      for (const startWithinMs of [0, -1, 1.5, '5', Number.POSITIVE_INFINITY])
        await refused(() => jobs.enqueue({ n: 1 }, wrong({ startWithinMs })), {
          code: 'VALIDATION',
          paths: ['startWithinMs'],
        })
      await refused(() => defineSchema({ jobs: queue({ startWithinMs: 0 }) }), 'CONFIGURATION')
    },
  },
]
