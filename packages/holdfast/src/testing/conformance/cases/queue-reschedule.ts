import assert from 'node:assert/strict'
import { type Handler, snooze } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { WAYS } from '../ways-of-working.ts'

const schema = defineSchema({ jobs: queue<{ n: number }>() })
const HOUR_MS = 3_600_000

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  const jobs = storage.queue('jobs')
  const take = async () => (await jobs.dequeueMany(10, { leaseMs: 9 * HOUR_MS })).map(({ data }) => data.n)
  return { storage, jobs, time, take }
}

/** Jobs whose time or urgency changes before they run. */
export const queueRescheduleCases: readonly ConformanceCase[] = [
  {
    id: 'queue/rescheduled',
    title: 'A job runs when it was last said to, sooner or later',
    async run({ open }) {
      const { jobs, time, take } = await openWithClock(open)
      const sooner = await jobs.enqueue({ n: 1 }, { delayMs: HOUR_MS })
      const later = await jobs.enqueue({ n: 2 })
      assert.equal(await jobs.reschedule(sooner.id, { delayMs: 0 }), true)
      assert.equal(await jobs.reschedule(later.id, { delayMs: 2 * HOUR_MS }), true)
      assert.equal((await jobs.get(later.id))?.waitsFor, 'time')
      assert.deepEqual(await take(), [1])
      const at = new Date(Date.now() + HOUR_MS)
      assert.equal(await jobs.reschedule(later.id, { runAt: at }), true)
      assert.deepEqual((await jobs.get(later.id))?.runAt, at)
      assert.deepEqual(await take(), [])
      time.ahead += HOUR_MS
      assert.deepEqual(await take(), [2])
    },
  },
  {
    id: 'queue/reprioritised',
    title: 'A job that becomes more urgent overtakes others, of its group too',
    async run({ open }) {
      const { jobs, take } = await openWithClock(open)
      await jobs.enqueueMany([1, 2].map((n) => ({ data: { n } })))
      const urgent = await jobs.enqueue({ n: 3 })
      await jobs.reschedule(urgent.id, { priority: 5 })
      assert.deepEqual([(await jobs.get(urgent.id))?.priority, await take()], [5, [3, 1, 2]])
      await jobs.enqueueMany([4, 5].map((n) => ({ data: { n }, group: 'g' })))
      const next = await jobs.enqueue({ n: 6 }, { group: 'g' })
      await jobs.reschedule(next.id, { priority: 5 })
      const order: number[] = []
      await jobs.drain((job) => void order.push(job.data.n))
      assert.deepEqual(order, [4, 6, 5])
    },
  },
  {
    id: 'queue/rescheduled-blocked',
    title:
      'A job that comes after others, or stands in line with its group, runs neither before them nor before its new time',
    async run({ open }) {
      const { jobs, time, take } = await openWithClock(open)
      const first = await jobs.enqueue({ n: 1 })
      const after = await jobs.enqueue({ n: 2 }, { after: [first] })
      await jobs.enqueue({ n: 3 }, { group: 'g' })
      const grouped = await jobs.enqueue({ n: 4 }, { group: 'g' })
      for (const { id } of [after, grouped]) assert.equal(await jobs.reschedule(id, { delayMs: HOUR_MS }), true)
      const order: number[] = []
      const drain = () => jobs.drain((job) => void order.push(job.data.n))
      await drain()
      assert.deepEqual(order.sort(), [1, 3])
      time.ahead += HOUR_MS + 1
      await drain()
      assert.deepEqual(order.slice(2).sort(), [2, 4])
      const [head, tail] = [await jobs.enqueue({ n: 5 }, { delayMs: HOUR_MS }), { delayMs: 0 }]
      const behind = await jobs.enqueue({ n: 6 }, { after: [head] })
      await jobs.reschedule(behind.id, tail)
      assert.deepEqual(await take(), [])
      await jobs.reschedule(head.id, tail)
      assert.deepEqual(await take(), [5])
    },
  },
  {
    id: 'queue/payload-changed',
    title: 'A job that waits is given another payload, which is checked; one that runs or has finished keeps its own',
    async run({ open }) {
      const { storage, jobs, take } = await openWithClock(open)
      const [waiting, blocked] = [await jobs.enqueue({ n: 1 }), await jobs.enqueue({ n: 2 }, { delayMs: HOUR_MS })]
      assert.equal(await jobs.updateData(waiting.id, { n: 10 }), true)
      assert.equal(await jobs.updateData(blocked.id, { n: 20 }), true)
      assert.deepEqual((await jobs.get(blocked.id))?.data, { n: 20 })
      await refused(() => jobs.updateData(waiting.id, wrong({ n: 1n })), 'VALIDATION')
      await refused(() => jobs.updateData(wrong(7), { n: 1 }), 'VALIDATION')
      assert.equal(await storage.queue('others').updateData(waiting.id, { n: 11 }), false)
      assert.equal(await jobs.updateData('nobody', { n: 11 }), false)
      await storage
        .transaction(async (tx) => {
          await tx.queue('jobs').updateData(waiting.id, { n: 12 })
          throw new Error('undone')
        })
        .catch(() => undefined)
      assert.deepEqual(await take(), [10])
      assert.equal(await jobs.updateData(waiting.id, { n: 13 }), false)
      assert.deepEqual((await jobs.get(waiting.id))?.data, { n: 10 })
    },
  },
  {
    id: 'queue/rescheduled-late',
    title: 'A job that runs, has finished or is of another queue is left as it is; so are jobs with unknown options',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      assert.equal(await storage.queue('others').reschedule(id, { priority: 1 }), false)
      await refused(() => jobs.reschedule(id, {}), 'VALIDATION')
      await refused(() => jobs.reschedule(id, { delayMs: -1 }), { code: 'VALIDATION', paths: ['delayMs'] })
      await refused(() => jobs.reschedule(id, wrong({ key: 'k' })), { code: 'VALIDATION', paths: ['key'] })
      const job = await jobs.dequeue()
      assert.equal(await jobs.reschedule(id, { delayMs: HOUR_MS, priority: 1 }), false)
      await jobs.acknowledge(job ?? '')
      assert.equal(await jobs.reschedule(id, { priority: 1 }), false)
      assert.deepEqual([(await jobs.get(id))?.state, (await jobs.get(id))?.priority], ['completed', 0])
    },
  },
  {
    id: 'queue/rescheduled-in-transaction',
    title: 'A job is rescheduled with the transaction that does so, or not at all, and a worker hears of it',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 }, { delayMs: HOUR_MS })
      const undone = storage.transaction(async (tx) => {
        await tx.queue('jobs').reschedule(id, { delayMs: 0 })
        throw new Error('undone')
      })
      await assert.rejects(undone, /undone/)
      assert.equal(await jobs.dequeue(), null)
      const worker = jobs.work(() => undefined, { pollMs: HOUR_MS })
      await jobs.waitFor(await jobs.enqueue({ n: 2 }))
      await storage.transaction((tx) => tx.queue('jobs').reschedule(id, { delayMs: 0 }))
      await jobs.waitFor(id, { timeoutMs: 20_000 })
      await worker.stop()
    },
  },
  {
    id: 'queue/due-in-time',
    title:
      'A worker that looks once an hour runs jobs when they are due: delayed, tried again, put off, and held back by a rate',
    async run({ open }) {
      const hurried = defineSchema({
        jobs: queue<string>({ backoff: { kind: 'fixed', firstMs: 50, jitter: 0 } }),
        rated: queue<string>({ rate: { max: 1, perMs: 50 } }),
      })
      const storage = await open(hurried)
      const [jobs, rated] = [storage.queue('jobs'), storage.queue('rated')]
      const ran: string[] = []
      const handler: Handler<string, unknown> = ({ data, attempt }) => {
        ran.push(data)
        if (data === 'broken' && attempt === 1) throw new Error('broken')
        return data === 'put off' && ran.filter((one) => one === data).length === 1 ? snooze(50) : undefined
      }
      for (const way of WAYS) {
        const workers = [jobs, rated].map((some) => some.work(handler, { ...way, pollMs: HOUR_MS }))
        const added = [await jobs.enqueue('at once'), await jobs.enqueue('delayed', { delayMs: 50 })]
        added.push(await jobs.enqueue('timed', { runAt: new Date(Date.now() + 50) }))
        added.push(await jobs.enqueue('later', { delayMs: 1_200 }))
        added.push(...(await jobs.enqueueMany([{ data: 'broken' }, { data: 'put off' }])))
        for (const { id } of added) await jobs.waitFor(id, { timeoutMs: 20_000 })
        for (const { id } of await rated.enqueueMany([{ data: '1' }, { data: '2' }, { data: '3' }]))
          await rated.waitFor(id, { timeoutMs: 20_000 })
        for (const worker of workers) await worker.stop()
        assert.equal(ran.splice(0).length, 11)
      }
    },
  },
  {
    id: 'queue/cancel-many',
    title: 'Jobs are cancelled by what they have in common, those that run too, and others are left as they are',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const running = Promise.withResolvers<void>()
      const stopped = Promise.withResolvers<void>()
      const worker = jobs.work(
        (_, { signal }) => {
          running.resolve()
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              stopped.resolve()
              reject(signal.reason)
            })
          })
        },
        { batch: 1 },
      )
      worker.on('lost', () => undefined)
      const first = await jobs.enqueue({ n: 0 }, { group: 'a' })
      await running.promise
      await jobs.enqueueMany([1, 2].map((n) => ({ data: { n }, group: 'a', delayMs: HOUR_MS })))
      await jobs.enqueueMany([3, 4].map((n) => ({ data: { n }, group: 'b', delayMs: HOUR_MS })))
      await storage.queue('others').enqueue({ n: 5 }, { group: 'a' })
      assert.equal(await jobs.cancelMany({ group: 'a' }), 3)
      await stopped.promise
      await worker.stop()
      assert.equal((await jobs.get(first.id))?.state, 'cancelled')
      assert.equal((await storage.queue('others').stats()).cancelled, 0)
      assert.equal(await jobs.cancelMany({ state: 'blocked' }), 0)
      assert.equal(await jobs.cancelMany({ state: 'scheduled', limit: 1 }), 1)
      assert.equal(await jobs.cancelMany({ ids: [first.id] }), 0)
      assert.equal(await jobs.cancelMany(), 1)
      assert.deepEqual((await jobs.stats()).cancelled, 5)
      await refused(() => jobs.cancelMany(wrong({ state: 'completed' })), { code: 'VALIDATION', paths: ['state'] })
      await refused(() => jobs.cancelMany(wrong({ groups: 'a' })), { code: 'VALIDATION', paths: ['groups'] })
    },
  },
]
