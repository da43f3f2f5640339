import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LeaseLostError, NotFoundError } from '../../../base/errors.ts'
import { discard, type Job, type Middleware, retryIn, snooze } from '../../../queue/index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ n: number }>({ maxAttempts: 3, backoff: { kind: 'fixed', firstMs: 1_000, jitter: 0 } }),
  doomed: queue<{ n: number }>({ maxAttempts: 1, deadLetter: 'letters' }),
  hasty: queue<{ n: number }>({ maxAttempts: 1, timeoutMs: 20 }),
  small: queue<{ text: string }>({ maxPayloadBytes: 100 }),
  traceless: queue<{ n: number }>({ keep: { completed: 0 }, maxAttempts: 1 }),
  brief: queue<{ n: number }>({ keep: { completed: 3, failedMs: 60_000 }, maxAttempts: 1 }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  return { storage: await open(schema, { clock: { now: () => Date.now() + time.ahead } }), time }
}

/** How handlers end, what they are given, and what becomes of their jobs. */
export const queueHandlerCases: readonly ConformanceCase[] = [
  {
    id: 'queue/snoozed',
    title: 'A job that its handler puts off runs again later, with no attempt counted and nothing written',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      const ran: number[] = []
      const run = () =>
        jobs.drain(async (job, { tx }) => {
          ran.push(job.attempt)
          if (ran.length > 4) return
          await tx.repository('done').create({ id: 'x' })
          return snooze(60_000)
        })
      for (let round = 0; round < 5; round++) {
        await run()
        await run()
        time.ahead += 61_000
      }
      assert.deepEqual(ran, [1, 1, 1, 1, 1])
      assert.equal(await storage.repository('done').count(), 0)
      assert.equal((await jobs.get(id))?.state, 'completed')
    },
  },
  {
    id: 'queue/discarded',
    title: 'A job that its handler gives up has failed, whatever attempts are left, and goes to the dead letters',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      await jobs.drain(() => {
        throw discard('gone')
      })
      const failed = await jobs.get(id)
      assert.deepEqual([failed?.state, failed?.attempt, failed?.errors[0]?.message], ['failed', 1, 'gone'])
      const doomed = await storage.queue('doomed').enqueue({ n: 7 })
      await storage.queue('doomed').drain(() => {
        throw new Error('broken')
      })
      const letter = await storage
        .queue<{ id: string; data: unknown; errors: { message: string }[] }>('letters')
        .dequeue()
      assert.deepEqual(
        [letter?.data.id, letter?.data.data, letter?.data.errors[0]?.message],
        [doomed.id, { n: 7 }, 'broken'],
      )
    },
  },
  {
    id: 'queue/backoff',
    title: 'The pauses between attempts are those of the queue, and of the job for what it says itself',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: 1 })
      await jobs.enqueue({ n: 2 }, { backoff: { kind: 'linear', firstMs: 10_000 } })
      const ran: string[] = []
      const run = async (at: number) => {
        time.ahead = at
        await jobs.drain((job) => {
          ran.push(`${at} ${job.data.n}.${job.attempt}`)
          throw new Error('again')
        })
      }
      for (const at of [0, 500, 1_500, 3_000, 9_000, 12_000, 25_000, 35_000]) await run(at)
      assert.deepEqual(ran, ['0 1.1', '0 2.1', '1500 1.2', '3000 1.3', '12000 2.2', '35000 2.3'])
    },
  },
  {
    id: 'queue/timeout',
    title: 'A handler whose time is up is told, and given up when it does not care; its attempt has failed',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const hasty = storage.queue('hasty')
      const [polite, deaf] = await hasty.enqueueMany([{ data: { n: 1 } }, { data: { n: 2 } }])
      await hasty.drain(async (job, { signal }) => {
        if (job.data.n === 1) await sleep(60_000, undefined, { signal })
        else await new Promise(() => undefined)
      })
      for (const job of [polite, deaf]) {
        const failed = await hasty.get(job?.id as string)
        assert.equal(failed?.state, 'failed')
        assert.match(failed.errors[0]?.message as string, /20 ms/)
      }
    },
  },
  {
    id: 'queue/retry-in',
    title: 'A handler says when its job is tried again: the attempt counts, and the error is kept',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const busy = new TypeError('busy')
      const ways = [
        () => jobs.drain(() => Promise.reject(retryIn(60_000, busy))),
        () => jobs.worker(() => Promise.reject(retryIn(60_000, busy)), { mode: 'transaction' }).drain(),
        () => jobs.manyWorker((some) => some.map(() => retryIn(60_000, busy))).drain(),
        async () => jobs.fail((await jobs.dequeue()) as Job<{ n: number }>, retryIn(60_000, busy)),
      ]
      for (const fail of ways) {
        const { id } = await jobs.enqueue({ n: 1 })
        await fail()
        const { waitsFor, attempt, errors } = (await jobs.get(id)) as Job
        assert.deepEqual([waitsFor, attempt, errors[0]?.message, errors[0]?.stack], ['time', 1, 'busy', busy.stack])
        time.ahead += 59_000
        assert.equal(await jobs.dequeue(), null)
        time.ahead += 2_000
        assert.equal(await jobs.drain(() => undefined), 1)
      }
      await refused(async () => retryIn(-1, busy), { code: 'VALIDATION', paths: ['ms'] })
    },
  },
  {
    id: 'queue/cancelled-while-it-runs',
    title: 'Cancelling a job aborts the signal of its handler at once, and nothing of it is written',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      const started = Promise.withResolvers<void>()
      const aborted = Promise.withResolvers<unknown>()
      const worker = jobs.work(async (_, { signal, tx }) => {
        started.resolve()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        aborted.resolve(signal.reason)
        await tx.repository('done').create({ id: 'x' })
      })
      const lost: string[] = []
      worker.on('lost', (job) => lost.push(job.id))
      await started.promise
      assert.equal(await jobs.cancel(id), true)
      const { code, cancelled } = (await aborted.promise) as LeaseLostError
      assert.deepEqual([code, cancelled], ['LEASE_LOST', true])
      await worker.stop()
      assert.deepEqual(lost, [id])
      assert.equal((await jobs.get(id))?.state, 'cancelled')
      assert.equal(await storage.repository('done').count(), 0)
    },
  },
  {
    id: 'queue/steps',
    title: 'A step is done once, however often the job is tried, and what it came to is remembered',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      const done: string[] = []
      const run = () =>
        jobs.drain(async (job, { step, tx }) => {
          const loaded = await step('load', () => {
            done.push('load')
            return { rows: [1, 2] }
          })
          const sum = await step('sum', async () => {
            done.push('sum')
            return loaded.rows.length + job.attempt
          })
          if (job.attempt < 3) throw new Error('again')
          await step('write', async () => {
            done.push('write')
            await tx.repository('done').create({ id: `sum ${sum}` })
          })
          return sum
        })
      for (let attempt = 1; attempt <= 3; attempt++) {
        await run()
        time.ahead += 2_000
      }
      assert.deepEqual(done, ['load', 'sum', 'write'])
      assert.equal((await jobs.get(id))?.result, 3)
      assert.deepEqual(pick(await storage.repository('done').find(), 'id'), ['sum 3'])
    },
  },
  {
    id: 'queue/progress',
    title: 'What a handler says of its progress is seen while it runs, and afterwards',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      let seen: unknown
      await jobs.drain(async (job, { progress, tx }) => {
        await progress({ done: 1, of: 2 })
        seen = (await jobs.get(job.id))?.progress
        await tx.repository('done').create({ id: 'x' })
        await progress({ done: 2, of: 2 })
      })
      assert.deepEqual(seen, { done: 1, of: 2 })
      assert.equal((await jobs.get(id))?.state, 'completed')
    },
  },
  {
    id: 'queue/middleware',
    title: 'Middleware runs around every handler, the first outermost, and may change what it gives',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const trace: string[] = []
      const named =
        (name: string): Middleware =>
        async (job, _, next) => {
          trace.push(`${name} before ${(job.data as { n: number }).n}`)
          const result = await next()
          trace.push(`${name} after`)
          return `${name}(${result})`
        }
      const { id } = await jobs.enqueue({ n: 4 })
      const worker = jobs.work(() => 'done', { middleware: [named('outer'), named('inner')] })
      assert.equal((await jobs.waitFor(id)).result, 'outer(inner(done))')
      await worker.stop()
      assert.deepEqual(trace, ['outer before 4', 'inner before 4', 'inner after', 'outer after'])
    },
  },
  {
    id: 'queue/events',
    title: 'A worker tells of jobs that begin, complete and fail, and whether they failed for good',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const told: string[] = []
      const worker = jobs.work(
        (job) => {
          if (job.data.n > 1) throw job.data.n === 2 ? discard('no') : new Error('later')
          return 'yes'
        },
        { pollMs: 20 },
      )
      worker.on('started', (job) => told.push(`started ${job.data}`))
      worker.on('completed', (job, result) => told.push(`completed ${job.attempt} ${result}`))
      worker.on('failed', (_, error, final) => told.push(`failed ${(error as Error).message} ${final}`))
      const made = await jobs.enqueueMany([{ data: { n: 1 } }, { data: { n: 2 } }])
      for (const { id } of made) await jobs.waitFor(id)
      const failing = Promise.withResolvers<void>()
      worker.on('failed', (_, error) => (error as Error).message === 'later' && failing.resolve())
      await jobs.enqueue({ n: 3 })
      await failing.promise
      await worker.stop()
      assert.deepEqual(told.filter((line) => !line.startsWith('started')).toSorted(), [
        'completed 1 yes',
        'failed later false',
        'failed no true',
      ])
      assert.equal(told.filter((line) => line.startsWith('started')).length, 3)
    },
  },
  {
    id: 'queue/waiting-for-a-job',
    title:
      'Waiting for a job gives it when it has finished, or says that it takes too long or is not there; it can be given up',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      await refused(() => jobs.waitFor(id, { timeoutMs: 20 }), 'TIMEOUT')
      await refused(() => jobs.waitFor('nobody'), 'NOT_FOUND')
      await refused(() => jobs.waitFor(id, wrong({ timeoutMs: '1' })), { code: 'VALIDATION', paths: ['timeoutMs'] })
      await refused(() => jobs.waitFor(id, wrong({ signal: 5 })), { code: 'VALIDATION', paths: ['signal'] })
      const giving = new AbortController()
      const given = assert.rejects(jobs.waitFor(id, { signal: giving.signal, pollMs: 3_600_000 }), /gone away/)
      giving.abort(new Error('The client has gone away.'))
      await given
      const waiting = Promise.all([jobs.waitFor(id), jobs.waitFor(id)])
      await jobs.drain(() => 5)
      assert.deepEqual(pick(await waiting, 'result'), [5, 5])
      assert.equal((await jobs.waitFor(id)).state, 'completed')
    },
  },
  {
    id: 'queue/retried-by-filter',
    title: 'Failed jobs are queued again by filter, but for those whose key another one has by now',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const doomed = storage.queue('doomed')
      await doomed.enqueueMany([1, 2, 3].map((n) => ({ data: { n }, ...(n === 3 && { key: 'k' }) })))
      await doomed.drain(() => {
        throw new Error('broken')
      })
      await doomed.enqueue({ n: 9 }, { key: 'k' })
      assert.equal(await doomed.retryMany(), 2)
      const ran: number[] = []
      await doomed.drain((job) => void ran.push(job.data.n))
      assert.deepEqual(ran.toSorted(), [1, 2, 9])
      assert.deepEqual((await doomed.stats()).failed, 1)
      assert.equal(await doomed.retryMany({ limit: 1 }), 1)
    },
  },
  {
    id: 'queue/forgotten',
    title: 'Finished jobs are kept as long, and as many of them, as the queue says',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const brief = storage.queue('brief')
      for (let n = 0; n < 5; n++) {
        await brief.enqueue({ n })
        await brief.drain(() => undefined)
        time.ahead += 10
      }
      await brief.enqueue({ n: 9 })
      await brief.drain(() => {
        throw new Error('broken')
      })
      assert.equal(await brief.prune(), 2)
      const kept = await brief.list({ state: 'completed' })
      assert.deepEqual(
        kept.map(({ data }) => data.n),
        [4, 3, 2],
      )
      time.ahead += 61_000
      assert.equal(await brief.prune(), 1)
      assert.equal((await brief.stats()).failed, 0)
    },
  },
  {
    id: 'queue/traceless',
    title:
      'A queue that keeps no completed jobs writes down none that has no result, but for those that are waited for',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const traceless = storage.queue('traceless')
      const plain = await traceless.enqueue({ n: 1 })
      const resulting = await traceless.enqueue({ n: 2 })
      const failing = await traceless.enqueue({ n: 3 })
      const awaited = await traceless.enqueue({ n: 4 })
      const last = await traceless.enqueue({ n: 5 }, { after: [awaited] })
      const [began, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const handlers: Record<number, () => unknown> = {
        2: () => 'result',
        3: () => Promise.reject(new Error('broken')),
        5: () => {
          began.resolve()
          return ended.promise
        },
      }
      // Unlike one that was started, a worker that drains prunes nothing meanwhile.
      const draining = traceless.drain(({ data }) => handlers[data.n]?.())
      await began.promise
      // One that runs cannot be made to tell of its end: whoever waits sees that it is gone.
      const running = traceless.waitFor(last.id, { pollMs: 10 })
      await sleep(500)
      ended.resolve()
      const { state, result, finishedAt } = await running
      assert.deepEqual([state, result, finishedAt !== null], ['completed', null, true])
      await draining
      for (const { id } of [plain, last]) assert.equal(await traceless.get(id), null)
      await assert.rejects(traceless.waitFor(plain.id), NotFoundError)
      assert.equal((await traceless.get(resulting.id))?.result, 'result')
      assert.equal((await traceless.get(failing.id))?.state, 'failed')
      assert.equal((await traceless.get(awaited.id))?.state, 'completed')
      const { waiting, active, completed } = await traceless.stats()
      assert.deepEqual([waiting, active, completed], [0, 0, 2])
    },
  },
  {
    id: 'queue/large-payloads',
    title: 'Payloads and results of a megabyte are kept whole; a queue may take less',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const large = storage.queue<{ text: string }>('large')
      const text = 'é'.repeat(1_000_000)
      const { id } = await large.enqueue({ text })
      await large.drain((job) => job.data)
      const job = await large.get(id)
      assert.ok(job?.data.text === text && (job.result as { text: string }).text === text)
      await refused(() => storage.queue('small').enqueue({ text: 'x'.repeat(100) }), {
        code: 'VALIDATION',
        paths: ['data'],
      })
    },
  },
  {
    id: 'queue/many-queues',
    title: 'One call starts workers for many queues, each with its typed handler, and stops them all',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      await refused(() => storage.work({ jobs: { handler: () => 1, batch: 0 } }), {
        code: 'VALIDATION',
        paths: ['batch'],
      })
      const workers = storage.work({
        jobs: async (job, { tx }) =>
          tx
            .queue('doomed')
            .enqueue({ n: job.data.n + 1 })
            .then(({ id }) => id),
        doomed: { handler: (job) => job.data.n, concurrency: 2 },
      })
      const { id } = await storage.queue('jobs').enqueue({ n: 1 })
      const follower = (await storage.queue('jobs').waitFor(id)).result as string
      assert.equal((await storage.queue('doomed').waitFor(follower)).result, 2)
      await workers.stop()
      await storage.queue('jobs').enqueue({ n: 2 })
      assert.equal((await storage.queue('jobs').stats()).waiting, 1)
    },
  },
  {
    id: 'queue/workers-refused',
    title: 'A worker with an unknown option is refused',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const bad: readonly (readonly [object, string])[] = [
        [{ concurrency: Number.NaN }, 'concurrency'],
        [{ concurrency: 0 }, 'concurrency'],
        [{ batch: 1.5 }, 'batch'],
        [{ leaseMs: -1 }, 'leaseMs'],
        [{ pollMs: '5' }, 'pollMs'],
        [{ mode: 'fast' }, 'mode'],
        [{ leases: false }, 'leases'],
        [{ mode: 'transaction', leases: 'no' }, 'leases'],
        [{ middleware: [1] }, 'middleware'],
        [{ threads: 2 }, 'threads'],
      ]
      for (const [options, path] of bad)
        await refused(() => storage.queue('jobs').work(() => 1, wrong(options)), { code: 'VALIDATION', paths: [path] })
    },
  },
]
