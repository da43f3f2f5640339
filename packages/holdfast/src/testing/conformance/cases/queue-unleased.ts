import assert from 'node:assert/strict'
import { discard, type Job, retryIn, snooze } from '../../../queue/index.ts'
import { increment } from '../../../repository/index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import type { ConformanceCase } from '../case.ts'

const HOUR_MS = 3_600_000

const schema = defineSchema({
  done: table({ id: t.text().primaryKey(), times: t.integer().default(0) }),
  jobs: queue<{ n: number }>({
    maxAttempts: 2,
    backoff: { kind: 'fixed', firstMs: HOUR_MS, jitter: 0 },
    deadLetter: 'dead',
  }),
  dead: queue<unknown>(),
  forgotten: queue<{ n: number }>({ keep: { completed: 0 } }),
  bounded: queue<{ n: number }>({ concurrency: 1 }),
})

const UNLEASED = { mode: 'transaction', leases: false } as const

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  return { storage, jobs: storage.queue('jobs'), time }
}

/** Jobs that are taken without leases, in the transaction that runs and completes them. */
export const queueUnleasedCases: readonly ConformanceCase[] = [
  {
    id: 'queue/unleased',
    title: 'Jobs that are taken without leases end as others do, whatever becomes of each',
    async run({ open }) {
      const { storage, jobs, time } = await openWithClock(open)
      await jobs.enqueueMany([1, 2, 3, 4, 5, 6].map((n) => ({ data: { n } })))
      await jobs.enqueueMany([7, 8].map((n) => ({ data: { n }, group: 'g', priority: -1 })))
      const ran: string[] = []
      const worker = jobs.worker(async ({ data: { n }, attempt, token }, { tx, progress, step }) => {
        assert.equal(token, null)
        ran.push(`${n}.${attempt}`)
        await tx.repository('done').create({ id: `${n}.${attempt}` })
        if (n === 2) throw new Error('broken')
        if (n === 3) return discard('no use')
        if (n === 4 && time.ahead === 0) return snooze(HOUR_MS)
        if (n === 5 && attempt === 1) throw retryIn(HOUR_MS, new Error('later'))
        await progress({ percent: 50 })
        return n === 6 ? { stepped: await step('once', () => n) } : undefined
      }, UNLEASED)
      assert.equal(await worker.drain(), 8)
      time.ahead = 2 * HOUR_MS
      await worker.drain()
      assert.deepEqual(ran, ['1.1', '2.1', '3.1', '4.1', '5.1', '6.1', '7.1', '8.1', '2.2', '4.1', '5.2'])
      const ended = (await jobs.list()).sort((a, b) => a.data.n - b.data.n)
      assert.deepEqual(
        ended.map(({ data: { n }, state, attempt, errors, result }) => [n, state, attempt, errors.length, result]),
        [
          [1, 'completed', 1, 0, null],
          [2, 'failed', 2, 2, null],
          [3, 'failed', 1, 1, null],
          [4, 'completed', 1, 0, null],
          [5, 'completed', 2, 1, null],
          [6, 'completed', 1, 0, { stepped: 6 }],
          [7, 'completed', 1, 0, null],
          [8, 'completed', 1, 0, null],
        ],
      )
      assert.deepEqual(ended[0]?.progress, { percent: 50 })
      const written = (await storage.repository('done').find()).map(({ id }) => id)
      assert.deepEqual(written, ['1.1', '4.1', '5.2', '6.1', '7.1', '8.1'])
      assert.equal((await storage.queue('dead').stats()).waiting, 2)
    },
  },
  {
    id: 'queue/unleased-side-by-side',
    title: 'Workers that take without leases and with them share a queue, and run each job once',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      await storage.repository('done').create({ id: 'all' })
      const forgotten = storage.queue('forgotten')
      const ran: number[] = []
      const handler = async (
        { data }: Job<{ n: number }>,
        { tx }: { readonly tx: Pick<typeof storage, 'repository'> },
      ) => {
        await tx.repository('done').update('all', { times: increment(1) })
        ran.push(data.n)
      }
      const workers = [UNLEASED, UNLEASED, { mode: 'transaction' } as const].map((options) =>
        forgotten.work(handler, { ...options, batch: 7, concurrency: 2 }),
      )
      for (let first = 0; first < 100; first += 20)
        await forgotten.enqueueMany(Array.from({ length: 20 }, (_, n) => ({ data: { n: first + n } })))
      await forgotten.drain()
      for (const worker of workers) await worker.stop()
      assert.equal((await storage.repository('done').getById('all')).times, 100)
      assert.deepEqual(new Set(ran).size, 100)
      assert.deepEqual(await forgotten.list(), [])
    },
  },
  {
    id: 'queue/unleased-awaited',
    title: 'What waits for a job that is run without a lease goes on when it has ended',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const first = await jobs.enqueue({ n: 1 })
      const after = await jobs.enqueue({ n: 2 }, { after: [first] })
      const ran: number[] = []
      const worker = jobs.work(({ data }) => void ran.push(data.n), UNLEASED)
      assert.equal((await jobs.waitFor(after, { timeoutMs: 10_000 })).state, 'completed')
      assert.deepEqual(ran, [1, 2])
      await worker.stop()
    },
  },
  {
    id: 'queue/unleased-apart',
    title: 'Jobs of a batch without leases that have steps or are awaited end beside the others, at the first go',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      for (const name of ['jobs', 'forgotten'] as const) {
        const queue = storage.queue(name)
        const [, awaited] = await queue.enqueueMany([1, 2, 3, 4].map((n) => ({ data: { n } })))
        const after = await queue.enqueue({ n: 5 }, { after: [awaited?.id as string] })
        const ran: number[] = []
        const worker = queue.worker(async ({ data: { n }, token }, { step }) => {
          assert.equal(token, null)
          ran.push(n)
          if (n === 3) await step('once', () => n)
        }, UNLEASED)
        await worker.drain()
        assert.deepEqual(ran, [1, 2, 3, 4, 5])
        assert.equal((await queue.get(after.id))?.state, name === 'jobs' ? 'completed' : undefined)
        assert.equal((await queue.stats()).waiting, 0)
      }
    },
  },
  {
    id: 'queue/unleased-meddled',
    title:
      'A batch without leases one of whose jobs is cancelled by another one is run again, and its writes count once',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      for (const name of ['jobs', 'forgotten'] as const) {
        const queue = storage.queue(name)
        const [, second] = await queue.enqueueMany([1, 2, 3, 4].map((n) => ({ data: { n } })))
        const cancelled = second?.id as string
        const worker = queue.worker(async ({ data: { n } }, { tx }) => {
          await tx.repository('done').create({ id: `${name} ${n}` })
          if (n === 3) await tx.queue(name).cancel(cancelled)
        }, UNLEASED)
        await worker.drain()
        const written = await storage.repository('done').find({ where: { id: { startsWith: name } } })
        assert.deepEqual(
          written.map(({ id }) => id),
          [1, 3, 4].map((n) => `${name} ${n}`),
        )
        assert.equal((await queue.get(cancelled))?.state, 'cancelled')
        assert.deepEqual((await queue.stats()).waiting, 0)
      }
    },
  },
  {
    id: 'queue/unleased-stopped',
    title: 'A stop keeps what was done of a batch without leases, and leaves the rest as it was',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const running = Promise.withResolvers<void>()
      const added = await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
      const worker = jobs.work(async ({ data: { n } }, { tx }) => {
        await tx.repository('done').create({ id: `${n}` })
        if (n !== 2) return
        running.resolve()
        await new Promise(() => undefined)
      }, UNLEASED)
      await running.promise
      await worker.stop({ timeoutMs: 10 })
      const left = await Promise.all(added.map(({ id }) => jobs.get(id)))
      assert.deepEqual(
        left.map((job) => [job?.state, job?.waitsFor, job?.attempt, job?.errors.length]),
        [
          ['completed', null, 1, 0],
          ['waiting', 'time', 1, 1],
          ['waiting', 'worker', 0, 0],
        ],
      )
      assert.deepEqual(await storage.repository('done').find(), [{ id: '1', times: 0 }])
    },
  },
  {
    id: 'queue/unleased-limited',
    title: 'A queue with limits gives leases to those who want none, since they say how much runs',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const bounded = storage.queue('bounded')
      const states: unknown[] = []
      await bounded.enqueueMany([1, 2].map((n) => ({ data: { n } })))
      const worker = bounded.worker((job) => void states.push([job.state, job.token !== null]), UNLEASED)
      assert.equal(await worker.drain(), 2)
      assert.deepEqual(states, [
        ['active', true],
        ['active', true],
      ])
    },
  },
]
