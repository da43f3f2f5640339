import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { SerializationError } from '../../../base/errors.ts'
import { type HandlerContext, type Job, snooze } from '../../../queue/index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { BATCH_WAYS } from '../ways-of-working.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ n: number }>({ maxAttempts: 3, backoff: { kind: 'fixed', firstMs: 1_000, jitter: 0 } }),
  hasty: queue<{ n: number }>({ maxAttempts: 1, timeoutMs: 20 }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  return { storage, jobs: storage.queue('jobs'), time }
}

/** Awaits a condition, for at most ten seconds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 500 && !(await holds()); looks++) await sleep(20)
}

/** Handlers that do not end, end badly, or do things too late. */
export const queueFailureCases: readonly ConformanceCase[] = [
  {
    id: 'queue/given-up',
    title: 'The transaction of a handler that is given up is undone, and holds nobody up',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const hasty = storage.queue('hasty')
      const { id } = await hasty.enqueue({ n: 1 })
      await hasty.drain(async (_, { tx }) => {
        await tx.repository('done').create({ id: 'x' })
        await new Promise(() => undefined)
      })
      await storage.repository('done').create({ id: 'x' })
      assert.equal((await hasty.get(id))?.state, 'failed')
    },
  },
  {
    id: 'queue/given-up-in-batch',
    title:
      'A handler that is given up undoes its own part of the batch, and the others go on; after a stop the rest is handed back',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const hasty = storage.queue('hasty')
      const [deaf, quick] = await hasty.enqueueMany([{ data: { n: 1 } }, { data: { n: 2 }, timeoutMs: 60_000 }])
      let began: () => void = () => undefined
      const handler = async (
        job: Job<{ n: number }>,
        { tx }: HandlerContext<{ repository: typeof storage.repository }>,
      ) => {
        began()
        await tx.repository('done').create({ id: `${job.data.n}` })
        if (job.data.n !== 2) await new Promise(() => undefined)
      }
      const worker = hasty.work(handler, { mode: 'transaction' })
      assert.equal((await hasty.waitFor(quick?.id as string, { timeoutMs: 10_000 })).state, 'completed')
      assert.equal((await hasty.get(deaf?.id as string))?.state, 'failed')
      assert.deepEqual(await storage.repository('done').find(), [{ id: '2' }])
      const running = new Promise<void>((resolve) => {
        began = resolve
      })
      const [stuck, next] = await hasty.enqueueMany([3, 2].map((n) => ({ data: { n }, timeoutMs: 60_000 })))
      await running
      await worker.stop({ timeoutMs: 10 })
      const stopped = await hasty.get(stuck?.id as string)
      assert.deepEqual([stopped?.state, stopped?.errors[0]?.message], ['failed', 'The worker was stopped.'])
      const left = await hasty.get(next?.id as string)
      assert.deepEqual([left?.state, left?.attempt], ['waiting', 0])
    },
  },
  {
    id: 'queue/given-up-nested',
    title: 'A handler that is given up in a nested transaction is undone as well, and holds nobody up',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const hasty = storage.queue('hasty')
      const { id } = await hasty.enqueue({ n: 1 })
      await hasty.drain(async (_, { tx }) => {
        await tx.repository('done').create({ id: 'x' })
        await tx.transaction((inner) =>
          inner.transaction(async (innermost) => {
            await innermost.repository('done').create({ id: 'y' })
            await new Promise(() => undefined)
          }),
        )
      })
      assert.equal((await hasty.get(id))?.state, 'failed')
      assert.deepEqual(await storage.repository('done').find(), [])
      await storage.repository('done').create({ id: 'x' })
    },
  },
  {
    id: 'queue/given-up-nested-in-batch',
    title: 'A handler of a batch that is given up in a nested transaction undoes its own part, and the others go on',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const hasty = storage.queue('hasty')
      for (const way of BATCH_WAYS) {
        const wakeUp = Promise.withResolvers<void>()
        const jobs = await hasty.enqueueMany([1, 2, 3].map((n) => ({ data: { n }, timeoutMs: n === 2 ? 20 : 60_000 })))
        const worker = hasty.worker(async ({ data: { n } }, { tx }) => {
          await tx.repository('done').create({ id: `${n}` })
          await tx.transaction(async (inner) => {
            await inner.repository('done').create({ id: `${n} nested` })
            if (n === 2) await wakeUp.promise
            // What was given up ends while another part of the batch is nested.
            if (n === 3) wakeUp.resolve()
            await inner.repository('done').create({ id: `${n} late` })
          })
        }, way)
        await worker.drain()
        const states = await Promise.all(jobs.map(async ({ id }) => (await hasty.get(id))?.state))
        assert.deepEqual(states, ['completed', 'failed', 'completed'])
        const written = (await storage.repository('done').find()).map(({ id }) => id)
        assert.deepEqual(written, ['1', '1 late', '1 nested', '3', '3 late', '3 nested'])
        await storage.repository('done').deleteMany({})
      }
    },
  },
  {
    id: 'queue/given-up-cancelled',
    title: 'A handler of a cancelled job that does not care makes room for the next',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      const worker = jobs.work(async (job) => {
        if (job.data.n === 1) await new Promise(() => undefined)
      })
      worker.on('lost', () => undefined)
      await until(async () => (await jobs.get(id))?.state === 'active')
      await jobs.cancel(id)
      const next = await jobs.enqueue({ n: 2 })
      await jobs.waitFor(next, { timeoutMs: 20_000 })
      await worker.stop()
    },
  },
  {
    id: 'queue/late-tx',
    title: 'A transaction of a handler that has ended does not begin any more',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      await jobs.enqueue({ n: 1 })
      let late: Promise<unknown> = Promise.resolve()
      await jobs.drain((_, { tx }) => {
        late = sleep(20).then(() => tx.repository('done').create({ id: 'x' }))
        // It may have been refused before anybody looks.
        late.catch(() => undefined)
      })
      await refused(() => late, 'TRANSACTION_MISUSE')
      await storage.repository('done').create({ id: 'x' })
    },
  },
  {
    id: 'queue/stood-still',
    title: 'A worker whose process stood still for longer than a lease says so, and does not take the job from itself',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const told = Promise.withResolvers<unknown>()
      const worker = jobs.work(
        async () => {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
          await told.promise
        },
        { leaseMs: 1_000, pollMs: 20, onError: told.resolve },
      )
      const { id } = await jobs.enqueue({ n: 1 })
      assert.match(String(await told.promise), /stood still for \d+ ms, longer than the leases of its jobs, 1000 ms/)
      await worker.stop()
      assert.deepEqual([(await jobs.get(id))?.state, (await jobs.get(id))?.attempt], ['completed', 1])
    },
  },
  {
    id: 'queue/batch-key',
    title: 'A job of a batch has its key until it ends, also when it is tried again',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      for (const way of BATCH_WAYS) {
        const { id } = await jobs.enqueue({ n: 1 }, { key: 'k' })
        await jobs.enqueue({ n: 2 })
        const ran: number[] = []
        const worker = jobs.worker(async (job, { tx }) => {
          ran.push(job.data.n)
          if (job.data.n === 1 && job.attempt === 1) throw new Error('again')
          if (job.data.n === 2) assert.equal((await tx.queue('jobs').enqueue({ n: 3 }, { key: 'k' })).id, id)
        }, way)
        await worker.drain()
        time.ahead += 2_000
        await worker.drain()
        assert.deepEqual(ran, [1, 2, 1])
        assert.equal((await jobs.stats()).completed, 2)
        await jobs.purge()
      }
    },
  },
  {
    id: 'queue/batch-poison',
    title: 'A handler in a batch that throws what looks like a conflict has failed, like any other',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      for (const way of BATCH_WAYS) {
        const { id } = await jobs.enqueue({ n: 1 }, { maxAttempts: 1 })
        const worker = jobs.work(
          () => {
            throw new SerializationError('Elsewhere.')
          },
          { ...way, pollMs: 20 },
        )
        assert.equal((await jobs.waitFor(id, { timeoutMs: 5_000 })).state, 'failed')
        await worker.stop()
      }
    },
  },
  {
    id: 'queue/throws-anything',
    title: 'Whatever a handler throws, its attempt has failed',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const odd = Object.assign(new Error('x'), {
        message: { a: 1 } as unknown as string,
        stack: 5 as unknown as string,
      })
      const unreadable = {
        toString: () => {
          throw new Error('no')
        },
      }
      const things = [Object.create(null), Symbol('s'), undefined, null, odd, unreadable]
      const made = await jobs.enqueueMany(things.map((_, n) => ({ data: { n }, maxAttempts: 1 })))
      const puttingOff = await jobs.enqueue({ n: -1 }, { maxAttempts: 1 })
      await jobs.drain((job) => {
        if (job.data.n < 0) return snooze(Number.NaN)
        throw things[job.data.n]
      })
      assert.match((await jobs.get(puttingOff.id))?.errors[0]?.message as string, /put off/)
      for (const { id } of made) assert.equal((await jobs.get(id))?.state, 'failed')
    },
  },
  {
    id: 'queue/timeout-huge',
    title: 'A bound on the time of a handler may be longer than timers are',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 }, { timeoutMs: 3_000_000_000, maxAttempts: 1 })
      let aborted: boolean | undefined
      await jobs.drain(async (_, { signal }) => {
        await sleep(50)
        aborted = signal.aborted
      })
      assert.equal(aborted, false)
      assert.equal((await jobs.get(id))?.state, 'completed')
    },
  },
  {
    id: 'queue/steps-at-once',
    title: 'Steps may be done at once, also in the transaction; one asked for twice at once is done once',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 }, { maxAttempts: 1 })
      let done = 0
      await jobs.drain(async (_, { tx, step }) => {
        const write = async (n: number) => {
          for (let part = 0; part < n; part++) await tx.repository('done').create({ id: `${n} ${part}` })
          return n
        }
        await Promise.all([1, 5, 3].map((n) => step(`write ${n}`, () => write(n))))
        return Promise.all([1, 1].map(() => step('same', () => ++done)))
      })
      const job = await jobs.get(id)
      assert.deepEqual([job?.state, job?.result, done], ['completed', [1, 1], 1])
      assert.equal(await storage.repository('done').count(), 9)
    },
  },
  {
    id: 'queue/listeners-that-throw',
    title: 'What listeners and onError of a worker throw keeps no job from being done',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const made = await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
      const reported: unknown[] = []
      const worker = jobs.work((job) => job.data.n, {
        onError: (error) => {
          reported.push(error)
          throw new Error('so does this one')
        },
      })
      for (const event of ['started', 'completed'] as const) {
        worker.on(event, () => {
          throw new Error(event)
        })
      }
      for (const { id } of made) assert.equal((await jobs.waitFor(id, { timeoutMs: 10_000 })).state, 'completed')
      await worker.stop()
      assert.equal(reported.length, 6)
    },
  },
]
