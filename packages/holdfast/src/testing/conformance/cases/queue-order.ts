import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineSchema, queue } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { WAYS } from '../ways-of-working.ts'

const schema = defineSchema({
  jobs: queue<{ n: number }>({ maxAttempts: 2 }),
  wide: queue<{ n: number }>({ groupConcurrency: 2 }),
  narrow: queue<{ n: number }>({ concurrency: 2 }),
  slow: queue<{ n: number }>({ rate: { max: 3, perMs: 60_000 } }),
  other: queue<{ n: number }>(),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  return { storage: await open(schema, { clock: { now: () => Date.now() + time.ahead } }), time }
}

function numbers(jobs: readonly { readonly data: { readonly n: number } }[]): number[] {
  return jobs.map(({ data }) => data.n)
}

/** Which jobs run in which order, and which groups, limits and dependencies hold them up. */
export const queueOrderCases: readonly ConformanceCase[] = [
  {
    id: 'queue/order-in-one-call',
    title: 'Jobs that are added by one call have one time, and are taken in their order, whatever they are like',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const first = await jobs.enqueue({ n: 0 })
      const kinds = [
        { key: 'k', onDuplicate: 'replace' },
        {},
        { group: 'g' },
        { runAt: new Date(0), priority: -1 },
        { key: 'l' },
        { after: [first] },
      ] as const
      for (let round = 0; round < 20; round++) {
        await jobs.cancelMany({ state: 'waiting', limit: 10_000 })
        await jobs.enqueue({ n: 0 }, { priority: 9 })
        const after = [(await jobs.dequeue({ leaseMs: 3_600_000 })) as typeof first]
        const made = await jobs.enqueueMany(
          kinds.map((kind, n) => ({ data: { n }, ...kind, ...('after' in kind && { after }) })),
        )
        assert.equal(new Set(made.flatMap(({ data, runAt }) => (data.n === 3 ? [] : [runAt.getTime()]))).size, 1)
        await jobs.acknowledge(after[0] as typeof first)
        const taken = await jobs.dequeueMany(10)
        assert.deepEqual(numbers(taken), [0, 1, 2, 4, 5, 3])
        for (const job of taken) await jobs.acknowledge(job)
      }
    },
  },
  {
    id: 'queue/groups',
    title: 'Jobs of a group run one after the other, in order, beside those of other groups and of none',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const entries = [1, 2, 3, 4].map((n) => ({ data: { n }, group: n % 2 === 0 ? 'even' : 'odd' }))
      const made = await jobs.enqueueMany([...entries, { data: { n: 5 } }])
      assert.deepEqual(pick(made, 'waitsFor'), ['worker', 'worker', 'jobs', 'jobs', 'worker'])
      const first = await jobs.dequeueMany(10)
      assert.deepEqual(numbers(first), [1, 2, 5])
      assert.deepEqual(await jobs.dequeueMany(10), [])
      for (const job of first) await jobs.acknowledge(job)
      const [third, fourth] = (await jobs.dequeueMany(10)) as [(typeof first)[0], (typeof first)[0]]
      assert.deepEqual(numbers([third, fourth]), [3, 4])
      await jobs.enqueueMany([
        { data: { n: 7 }, group: 'odd' },
        { data: { n: 9 }, group: 'odd', priority: 1 },
      ])
      // One that is to be tried again is not overtaken.
      await jobs.fail(third, 'once')
      assert.deepEqual(await jobs.dequeueMany(10), [])
      time.ahead += 10_000
      const again = (await jobs.dequeue()) as typeof third
      assert.deepEqual([again.data.n, again.attempt], [3, 2])
      await jobs.fail(again, 'for good')
      assert.deepEqual(numbers(await jobs.dequeueMany(10)), [9])
    },
  },
  {
    id: 'queue/groups-wide',
    title: 'A group runs as many jobs at once as its queue allows, and cancelling one lets the next through',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const wide = storage.queue('wide')
      await wide.enqueueMany([1, 2, 3, 4].map((n) => ({ data: { n }, group: 'a' })))
      const taken = await wide.dequeueMany(10)
      assert.deepEqual(numbers(taken), [1, 2])
      await wide.cancel(taken[0]?.id as string)
      assert.deepEqual(numbers(await wide.dequeueMany(10)), [3])
    },
  },
  {
    id: 'queue/groups-later',
    title: 'A job of a group whose time is to come joins its group when it has',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: 1 }, { group: 'a', delayMs: 5_000 })
      await jobs.enqueue({ n: 2 }, { group: 'a' })
      const [second] = await jobs.dequeueMany(10)
      assert.equal(second?.data.n, 2)
      time.ahead += 6_000
      assert.deepEqual(await jobs.dequeueMany(10), [])
      await jobs.extend(second as NonNullable<typeof second>, 60_000)
      await jobs.acknowledge(second as NonNullable<typeof second>)
      assert.deepEqual(numbers(await jobs.dequeueMany(10)), [1])
    },
  },
  {
    id: 'queue/groups-raced',
    title: 'However many add and take jobs of a group at once, one runs at a time and each runs once',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const ran: number[] = []
      let running = 0
      const work = async () => {
        for (let misses = 0; ran.length < 12 && misses < 200; ) {
          const job = await jobs.dequeue()
          if (job === null) {
            misses++
            await new Promise((resolve) => setTimeout(resolve, 5))
            continue
          }
          assert.equal(++running, 1)
          ran.push(job.data.n)
          running--
          await jobs.acknowledge(job)
        }
      }
      const add = (n: number) => jobs.enqueue({ n }, { group: 'one' })
      await Promise.all([...Array.from({ length: 12 }, (_, n) => add(n)), work(), work(), work()])
      assert.deepEqual(
        ran.toSorted((a, b) => a - b),
        Array.from({ length: 12 }, (_, n) => n),
      )
    },
  },
  {
    id: 'queue/concurrency',
    title: 'No more jobs of a queue are taken than may run at once, whoever takes them',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const narrow = storage.queue('narrow')
      await narrow.enqueueMany([1, 2, 3, 4, 5].map((n) => ({ data: { n } })))
      const taken = (await Promise.all(Array.from({ length: 5 }, () => narrow.dequeue()))).filter((job) => job !== null)
      assert.equal(taken.length, 2)
      await narrow.acknowledge(taken[0] as NonNullable<(typeof taken)[0]>)
      assert.equal((await narrow.dequeueMany(5)).length, 1)
    },
  },
  {
    id: 'queue/rate',
    title: 'No more jobs begin in a window than the rate allows, whoever takes them',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const slow = storage.queue('slow')
      await slow.enqueueMany([1, 2, 3, 4, 5, 6, 7].map((n) => ({ data: { n } })))
      const taken = await Promise.all([slow.dequeueMany(2), slow.dequeueMany(2), slow.dequeueMany(2)])
      assert.equal(taken.flat().length, 3)
      time.ahead += 20_000
      assert.equal(await slow.dequeue(), null)
      time.ahead += 41_000
      for (const job of await slow.dequeueMany(10, { leaseMs: 600_000 })) await slow.acknowledge(job)
      assert.equal((await slow.stats()).completed, 3)
    },
  },
  {
    id: 'queue/latency',
    title: 'The latency of a queue is how long a job has waited past its time that could be taken',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const seconds = async () => Math.round((await jobs.latency()) / 10_000) * 10
      assert.equal(await jobs.latency(), 0)
      await jobs.enqueueMany([
        { data: { n: 1 }, delayMs: 100_000 },
        { data: { n: 2 }, group: 'g', priority: 5 },
        { data: { n: 3 }, group: 'g' },
      ])
      await storage.queue('other').enqueue({ n: 4 })
      time.ahead += 60_000
      assert.equal(await seconds(), 60)
      await jobs.enqueue({ n: 5 }, { priority: 9 })
      time.ahead += 60_000
      assert.equal(await seconds(), 120)
      // What runs does not wait, nor do those that cannot be taken; what has come due does.
      const [first, second] = await jobs.dequeueMany(2, { leaseMs: 3_600_000 })
      assert.deepEqual(numbers([first, second] as never), [5, 2])
      assert.equal(await seconds(), 20)
      await jobs.dequeue({ leaseMs: 3_600_000 })
      assert.equal(await jobs.latency(), 0)
    },
  },
  {
    id: 'queue/paused',
    title: 'While a queue is paused nobody takes its jobs',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: 1 })
      await jobs.pause()
      assert.equal(await jobs.dequeue(), null)
      assert.equal(await jobs.drain(() => assert.fail('it is paused')), 0)
      await storage.queue('other').enqueue({ n: 2 })
      assert.equal((await storage.queue('other').dequeue())?.data.n, 2)
      await jobs.resume()
      assert.equal((await jobs.dequeue())?.data.n, 1)
    },
  },
  {
    id: 'queue/paused-for-a-time',
    title: 'A queue that is paused for a time goes on by itself; no pause makes one shorter that lasts longer',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const isPaused = async () => {
        const taken = await jobs.dequeue({ leaseMs: 3_600_000 })
        if (taken !== null) await jobs.acknowledge(taken)
        return taken === null
      }
      await jobs.enqueueMany(Array.from({ length: 9 }, (_, n) => ({ data: { n } })))
      await jobs.pause({ forMs: 120_000 })
      await jobs.pause({ forMs: 60_000 })
      time.ahead += 61_000
      assert.equal(await isPaused(), true)
      await jobs.pause({ forMs: 120_000 })
      time.ahead += 61_000
      assert.equal(await isPaused(), true)
      time.ahead += 60_000
      assert.equal(await isPaused(), false)
      // One that is over makes none longer.
      await jobs.pause({ forMs: 60_000 })
      assert.equal(await isPaused(), true)
      await jobs.resume()
      assert.equal(await isPaused(), false)
      await jobs.pause()
      await jobs.pause({ forMs: 60_000 })
      time.ahead += 3_600_000
      assert.equal(await isPaused(), true)
      await jobs.resume()
      await storage.transaction((tx) => tx.queue('jobs').pause({ forMs: 60_000 }))
      await jobs.pause()
      time.ahead += 61_000
      assert.equal(await isPaused(), true)
      await jobs.resume()
      for (const forMs of [0, -1, 1.5, '5', Number.NaN])
        await refused(() => jobs.pause(wrong({ forMs })), { code: 'VALIDATION', paths: ['forMs'] })
      await refused(() => jobs.pause(wrong({ until: 5 })), { code: 'VALIDATION', paths: ['until'] })
    },
  },
  {
    id: 'queue/paused-worker',
    title: 'Workers go on when a pause is over, and keep within the limits of their queue',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      for (const name of ['jobs', 'slow'] as const) {
        const jobs = storage.queue(name)
        await jobs.pause({ forMs: 150 })
        const job = await jobs.enqueue({ n: 1 })
        const worker = jobs.work(() => 'ran', { pollMs: 20 })
        assert.equal((await jobs.waitFor(job, { timeoutMs: 60_000 })).result, 'ran')
        await worker.stop()
      }
    },
  },
  {
    id: 'queue/after',
    title: 'A job runs when all jobs that it comes after have completed, of whatever queue',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const [jobs, other] = [storage.queue('jobs'), storage.queue('other')]
      const last = await storage.transaction(async (tx) => {
        const a = await tx.queue('jobs').enqueue({ n: 1 })
        const b = await tx.queue('other').enqueue({ n: 2 })
        return tx.queue('jobs').enqueue({ n: 3 }, { after: [a, b.id, a.id] })
      })
      assert.deepEqual([last.waitsFor, last.after.length], ['jobs', 2])
      const [first] = await jobs.dequeueMany(10)
      assert.equal(first?.data.n, 1)
      await jobs.acknowledge(first as NonNullable<typeof first>)
      assert.equal(await jobs.dequeue(), null)
      const second = (await other.dequeue()) as NonNullable<Awaited<ReturnType<typeof other.dequeue>>>
      await other.acknowledge(second)
      assert.equal((await jobs.dequeue())?.data.n, 3)
      // What has completed by then holds nothing up.
      assert.equal((await jobs.enqueue({ n: 4 }, { after: [second] })).waitsFor, 'worker')
    },
  },
  {
    id: 'queue/after-failure',
    title: 'A job fails with one that it comes after, and those after it too, unless it is to run all the same',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const root = await jobs.enqueue({ n: 1 }, { maxAttempts: 1 })
      const child = await jobs.enqueue({ n: 2 }, { after: [root] })
      const grandchild = await storage.queue('other').enqueue({ n: 3 }, { after: [child] })
      const cleaning = await jobs.enqueue({ n: 4 }, { after: [root, child], onFailure: 'run' })
      await jobs.fail((await jobs.dequeue()) as typeof root, 'broken')
      assert.deepEqual(
        [(await jobs.get(child.id))?.state, (await storage.queue('other').get(grandchild.id))?.state],
        ['failed', 'failed'],
      )
      assert.equal((await jobs.get(child.id))?.errors.length, 1)
      assert.equal((await jobs.dequeue())?.id, cleaning.id)
      await refused(() => jobs.enqueue({ n: 5 }, { after: [root] }), { code: 'VALIDATION', paths: ['after'] })
      await refused(() => jobs.enqueue({ n: 5 }, { after: ['nobody'] }), 'NOT_FOUND')
      assert.equal((await jobs.enqueue({ n: 6 }, { after: [root], onFailure: 'run' })).waitsFor, 'worker')
    },
  },
  {
    id: 'queue/after-results',
    title:
      'A handler is given the results of the jobs that its job comes after, those that completed and in their order',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const [jobs, other] = [storage.queue('jobs'), storage.queue('other')]
      for (const way of WAYS) {
        const first = await jobs.enqueue({ n: 1 })
        const second = await jobs.enqueue({ n: 2 })
        const broken = await jobs.enqueue({ n: 3 }, { maxAttempts: 1 })
        const elsewhere = await other.enqueue({ n: 4 })
        const after = [elsewhere, second, broken, first]
        const last = await jobs.enqueue({ n: 5 }, { after, onFailure: 'run' })
        await other.drain(() => ({ from: ['elsewhere'] }))
        await jobs
          .worker(async (job, { tx, results }) => {
            if (job.data.n === 3) throw new Error('broken')
            if (job.data.n !== 5) return job.data.n === 2 ? undefined : [...(await results())]
            const before = [...(await results())]
            await tx.queue('other').enqueue({ n: 6 })
            assert.deepEqual([...(await results())], before)
            return before
          }, way)
          .drain()
        const wanted = [
          [elsewhere.id, { from: ['elsewhere'] }],
          [second.id, null],
          [first.id, []],
        ]
        assert.deepEqual((await jobs.get(last.id))?.result, wanted)
        await other.drain(() => undefined)
      }
    },
  },
  {
    id: 'queue/after-raced',
    title: 'A job that is added while the one before it ends runs, whichever comes first',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      for (let round = 0; round < 10; round++) {
        await jobs.enqueue({ n: 1 })
        const first = (await jobs.dequeue()) as NonNullable<Awaited<ReturnType<typeof jobs.dequeue>>>
        const [second] = await Promise.all([jobs.enqueue({ n: 2 }, { after: [first] }), jobs.acknowledge(first)])
        const taken = (await jobs.dequeue()) as typeof first
        assert.equal(taken?.id, second.id)
        await jobs.acknowledge(taken)
      }
    },
  },
  {
    id: 'queue/after-group',
    title: 'A job that comes after others and belongs to a group waits for both',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const before = await jobs.enqueue({ n: 1 })
      await jobs.enqueue({ n: 2 }, { group: 'g' })
      await jobs.enqueue({ n: 3 }, { group: 'g', after: [before] })
      const taken = await jobs.dequeueMany(10)
      assert.deepEqual(numbers(taken), [1, 2])
      await jobs.acknowledge(taken[0] as NonNullable<(typeof taken)[0]>)
      assert.equal(await jobs.dequeue(), null)
      await jobs.acknowledge(taken[1] as NonNullable<(typeof taken)[0]>)
      assert.deepEqual(numbers(await jobs.dequeueMany(10)), [3])
    },
  },
  {
    id: 'queue/urgent-beside-many',
    title: 'A worker with much to do soon comes to jobs that are more urgent than those it was at',
    async run({ open }) {
      const jobs = (await open(schema)).queue('jobs')
      await jobs.enqueueMany(Array.from({ length: 400 }, (_, n) => ({ data: { n } })))
      const order: number[] = []
      const { promise: done, resolve } = Promise.withResolvers<void>()
      const worker = jobs.work(
        async ({ data: { n } }) => {
          order.push(n)
          if (order.length === 402) resolve()
          if (n === 60) await jobs.enqueue({ n: 1_000 }, { priority: 5 })
          if (n === 70) await jobs.enqueue({ n: 1_001 }, { runAt: new Date(0) })
          await sleep(2)
        },
        { batch: 20 },
      )
      await done
      await worker.stop()
      assert.ok(order.indexOf(1_000) < 330, `the urgent one came as number ${order.indexOf(1_000)}`)
      assert.ok(order.indexOf(1_001) < 330, `the old one came as number ${order.indexOf(1_001)}`)
      assert.equal(new Set(order).size, 402)
    },
  },
]
