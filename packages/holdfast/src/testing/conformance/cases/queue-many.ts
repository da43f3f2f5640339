import assert from 'node:assert/strict'
import { SerializationError } from '../../../base/errors.ts'
import { defineSchema, increment, queue, type Transaction, t, table } from '../../../index.ts'
import { discard, type Job, type ManyHandler, type ManyMiddleware, snooze } from '../../../queue/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey(), times: t.integer().default(1) }),
  jobs: queue<{ n: number }>({ maxAttempts: 3, backoff: { kind: 'fixed', firstMs: 1_000, jitter: 0 } }),
  hasty: queue<{ n: number }>({ maxAttempts: 1, timeoutMs: 20 }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  const jobs = storage.queue('jobs')
  const add = (count: number) => jobs.enqueueMany(Array.from({ length: count }, (_, n) => ({ data: { n } })))
  const states = async () => {
    const all = (await jobs.list()).sort((left, right) => left.data.n - right.data.n)
    return all.map(({ state, attempt }) => `${state} ${attempt}`)
  }
  return { storage, jobs, time, add, states }
}

const numbers = (jobs: readonly Job<{ n: number }>[]) => jobs.map(({ data }) => data.n)

/** Handlers that take many jobs at once. */
export const queueManyCases: readonly ConformanceCase[] = [
  {
    id: 'queue/many',
    title: 'A handler of many is given up to a batch of jobs in the order of taking, and they are done when it returns',
    async run({ open }) {
      const { jobs, add, states } = await openWithClock(open)
      await add(7)
      const given: number[][] = []
      const worker = jobs.manyWorker((some) => void given.push(numbers(some)), { batch: 3 })
      const told: unknown[] = []
      worker.on('completed', (job, result) => told.push([job.data.n, result]))
      assert.equal(await worker.drain(), 7)
      assert.deepEqual(given, [[0, 1, 2], [3, 4, 5], [6]])
      assert.deepEqual(told[6], [6, null])
      assert.deepEqual(new Set(await states()), new Set(['completed 1']))
    },
  },
  {
    id: 'queue/many-endings',
    title:
      'Of many jobs some are completed, fail, are put off or given up, each for itself, with a transaction and without',
    async run({ open }) {
      const { storage, jobs, time, add, states } = await openWithClock(open)
      for (const writes of [false, true]) {
        await add(6)
        const told: string[] = []
        const worker = jobs.manyWorker(async (some, { tx }) => {
          if (writes) await tx.repository('done').create({ id: 'x' })
          return [
            { n: 0 },
            new Error('broken'),
            snooze(5_000),
            discard('gone'),
            Promise.resolve('late'),
            Promise.reject(new Error(`no ${some.length}`)),
          ]
        })
        worker.on('completed', (job) => told.push(`completed ${job.data.n}`))
        worker.on('failed', (job, _, final) => told.push(`failed ${job.data.n} ${final}`))
        worker.on('snoozed', (job, ms) => told.push(`snoozed ${job.data.n} ${ms}`))
        assert.equal(await worker.drain(), 6)
        assert.deepEqual(told.sort(), [
          'completed 0',
          'completed 4',
          'failed 1 false',
          'failed 3 true',
          'failed 5 false',
          'snoozed 2 5000',
        ])
        assert.deepEqual(await states(), [
          'completed 1',
          'waiting 1',
          'waiting 0',
          'failed 1',
          'completed 1',
          'waiting 1',
        ])
        const byNumber = new Map((await jobs.list()).map((job) => [job.data.n, job]))
        assert.deepEqual([byNumber.get(0)?.result, byNumber.get(4)?.result], [{ n: 0 }, 'late'])
        assert.deepEqual(
          byNumber.get(5)?.errors.map(({ message }) => message),
          ['no 6'],
        )
        time.ahead += 60_000
        assert.equal(await jobs.manyWorker(() => undefined).drain(), 3)
        await jobs.purge()
      }
      assert.deepEqual(pick(await storage.repository('done').find({ orderBy: { id: 'asc' } }), 'id'), ['x'])
    },
  },
  {
    id: 'queue/many-parts',
    title:
      'What is written for one of many jobs can be undone alone, and the rest is committed with what becomes of all',
    async run({ open }) {
      const { storage, jobs, add, states } = await openWithClock(open)
      await add(3)
      await jobs
        .manyWorker((some, { tx }) => {
          const doOne = (job: Job<{ n: number }>) =>
            tx.transaction(async (part): Promise<Error | undefined> => {
              await part.repository('done').create({ id: String(job.data.n) })
              if (job.data.n === 1) throw new Error('broken')
              return undefined
            })
          return some.reduce(async (before: Promise<(Error | undefined)[]>, job) => {
            const known = await before
            return [...known, await doOne(job).catch((error: Error) => error)]
          }, Promise.resolve([]))
        })
        .drain()
      const rows = await storage.repository('done').find({ orderBy: { id: 'asc' } })
      assert.deepEqual(pick(rows, 'id'), ['0', '2'])
      assert.deepEqual(await states(), ['completed 1', 'waiting 1', 'completed 1'])
    },
  },
  {
    id: 'queue/many-thrown',
    title: 'When a handler of many throws, or gives no list of their number, all have failed and nothing is written',
    async run({ open }) {
      const { storage, jobs, time, add } = await openWithClock(open)
      await add(2)
      const attempt = async (ends: () => unknown): Promise<string[]> => {
        await jobs
          .manyWorker(async (_, { tx }) => {
            await tx.repository('done').create({ id: 'x' })
            return wrong(ends())
          })
          .drain()
        time.ahead += 2_000
        const all = await jobs.list()
        return all.map(({ state, errors }) => `${state}: ${errors.at(-1)?.message}`)
      }
      const broken = await attempt(() => {
        throw new Error('broken')
      })
      assert.deepEqual(broken, ['waiting: broken', 'waiting: broken'])
      for (const told of await attempt(() => ['one'])) assert.match(told, /it was given 2 jobs and gave a list of 1/)
      for (const told of await attempt(() => 'one')) assert.match(told, /^failed: .* gave no list/)
      assert.equal(await storage.repository('done').count(), 0)
    },
  },
  {
    id: 'queue/many-cancelled',
    title:
      'When one of many jobs is cancelled meanwhile, the others are done again without it, and nothing of it is written',
    async run({ open }) {
      const { storage, jobs, add, states } = await openWithClock(open)
      const [first] = await add(3)
      const given: number[][] = []
      const worker = jobs.manyWorker(async (some, { tx, signal }) => {
        given.push(numbers(some))
        // Before the transaction begins, which would keep others from writing where one does at a time.
        if (given.length === 1) await jobs.cancel(first?.id ?? '')
        assert.equal(signal.aborted, false)
        for (const job of some) await tx.repository('done').create({ id: String(job.data.n) })
      })
      const lost: number[] = []
      worker.on('lost', (job) => lost.push(job.data.n))
      await worker.drain()
      assert.deepEqual(
        [given, lost],
        [
          [
            [0, 1, 2],
            [1, 2],
          ],
          [0],
        ],
      )
      assert.deepEqual(await states(), ['cancelled 1', 'completed 1', 'completed 1'])
      const rows = await storage.repository('done').find({ orderBy: { id: 'asc' } })
      assert.deepEqual(pick(rows, 'id'), ['1', '2'])
    },
  },
  {
    id: 'queue/many-conflict',
    title: 'When the transaction of many jobs meets another one the handler runs again, and no attempt is counted',
    async run({ open }) {
      const { storage, jobs, add, states } = await openWithClock(open)
      await storage.repository('done').create({ id: 'x' })
      await add(2)
      let runs = 0
      await jobs
        .manyWorker(async (some, { tx }) => {
          runs++
          await tx.repository('done').update('x', { times: increment(some.length) })
          return some.map(() => (runs === 1 ? Promise.reject(new SerializationError('They met.')) : 'done'))
        })
        .drain()
      assert.deepEqual([runs, await states()], [2, ['completed 1', 'completed 1']])
      assert.equal((await storage.repository('done').getById('x')).times, 3)
    },
  },
  {
    id: 'queue/many-suspects',
    title: 'A job whose worker was lost is run alone, so that it takes no others down with it',
    async run({ open }) {
      const { jobs, time, add } = await openWithClock(open)
      await add(5)
      const taken = await jobs.dequeueMany(5, { leaseMs: 1_000 })
      for (const job of taken) if (job.data.n !== 2) await jobs.fail(job, new Error('broken'))
      time.ahead += 5_000
      const given: number[][] = []
      await jobs.manyWorker((some) => void given.push(numbers(some).sort())).drain()
      assert.deepEqual(given, [[2], [0, 1, 3, 4]])
    },
  },
  {
    id: 'queue/many-timeout',
    title: 'Many jobs have the time of the most impatient of them, and a clean stop hands back what was not begun',
    async run({ open }) {
      const { storage, jobs, add, states } = await openWithClock(open)
      const hasty = storage.queue('hasty')
      await hasty.enqueueMany([{ data: { n: 1 }, timeoutMs: 60_000 }, { data: { n: 2 } }])
      await hasty
        .manyWorker(
          (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        )
        .drain()
      assert.equal((await hasty.stats()).failed, 2)
      const worker = jobs.workMany(() => assert.fail('it was begun'), { batch: 10, waitMs: 3_600_000, pollMs: 5 })
      await add(3)
      while ((await jobs.stats()).active < 3);
      await worker.stop()
      assert.deepEqual(await states(), ['waiting 0', 'waiting 0', 'waiting 0'])
    },
  },
  {
    id: 'queue/many-middleware',
    title:
      'Middleware runs once around each call of a handler of many, the first outermost, and may change what it gives',
    async run({ open }) {
      const { storage, jobs, add, states } = await openWithClock(open)
      const trace: string[] = []
      const named =
        (name: string): ManyMiddleware =>
        async (some, { signal }, next) => {
          trace.push(`${name} before ${some.length} ${signal.aborted}`)
          const results = (await next()) as string[]
          trace.push(`${name} after`)
          return results.map((result) => `${name}(${result})`)
        }
      await add(5)
      const options = { batch: 3, middleware: [named('outer'), named('inner')] }
      await jobs.manyWorker((some) => some.map(({ data }) => data.n), options).drain()
      const results = (await jobs.list()).map(({ result }) => result)
      assert.deepEqual(
        results.sort(),
        [0, 1, 2, 3, 4].map((n) => `outer(inner(${n}))`),
      )
      const around = (count: number) => [`outer before ${count} false`, `inner before ${count} false`]
      const after = ['inner after', 'outer after']
      assert.deepEqual(trace, [...around(3), ...after, ...around(2), ...after])
      await jobs.purge()

      await add(2)
      const broken: ManyMiddleware = async (_, __, next) => {
        await next()
        throw new Error('broken outside')
      }
      const write: ManyHandler<unknown, Transaction<typeof schema>> = async (_, { tx }) =>
        void (await tx.repository('done').create({ id: 'x' }))
      await jobs.manyWorker(write, { middleware: [broken] }).drain()
      assert.deepEqual(await states(), ['waiting 1', 'waiting 1'])
      assert.equal(await storage.repository('done').count(), 0)
    },
  },
  {
    id: 'queue/many-abandoned',
    title: 'Many jobs whose worker is stopped midway have failed, and nothing is written',
    async run({ open }) {
      const { storage, jobs, add, states } = await openWithClock(open)
      await add(3)
      const begun = Promise.withResolvers<void>()
      const reported: unknown[] = []
      const worker = jobs.workMany(
        async (_, { tx, signal }) => {
          await tx.repository('done').create({ id: 'x' })
          begun.resolve()
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
        { onError: (error) => reported.push(error) },
      )
      await begun.promise
      await worker.stop({ timeoutMs: 0 })
      // Where the handler has the only connection, the worker's own waiting for it is no failure.
      assert.deepEqual(reported, [])
      assert.deepEqual(await states(), ['waiting 1', 'waiting 1', 'waiting 1'])
      assert.equal(await storage.repository('done').count(), 0)
    },
  },
  {
    id: 'queue/many-waits',
    title: 'A handler of many waits for a full batch as long as it is told to',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const given: number[][] = []
      const workers = storage.work({
        jobs: { many: (some) => void given.push(numbers(some)), batch: 3, waitMs: 3_600_000, pollMs: 5 },
      })
      const added = []
      for (let n = 0; n < 3; n++) added.push(await jobs.enqueue({ n }))
      for (const job of added) await jobs.waitFor(job)
      await workers.stop()
      assert.deepEqual(given, [[0, 1, 2]])
      const soon = jobs.workMany((some) => void given.push(numbers(some)), { batch: 3, waitMs: 5, pollMs: 5 })
      await jobs.waitFor(await jobs.enqueue({ n: 3 }))
      await soon.stop()
      assert.deepEqual(given, [[0, 1, 2], [3]])
    },
  },
  {
    id: 'queue/many-options',
    title: 'Options that a handler of many does not have, or that are invalid, are refused',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const nothing = () => undefined
      await refused(() => jobs.workMany(nothing, wrong({ mode: 'transaction' })), {
        code: 'VALIDATION',
        paths: ['mode'],
      })
      await refused(() => jobs.workMany(nothing, wrong({ middleware: [1] })), {
        code: 'VALIDATION',
        paths: ['middleware'],
      })
      await refused(() => jobs.workMany(nothing, { batch: 0 }), { code: 'VALIDATION', paths: ['batch'] })
      await refused(() => jobs.workMany(nothing, { waitMs: -1 }), { code: 'VALIDATION', paths: ['waitMs'] })
      await refused(() => jobs.workMany(wrong(7)), { code: 'VALIDATION', paths: ['handler'] })
    },
  },
]
