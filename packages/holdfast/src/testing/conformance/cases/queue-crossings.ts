import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { discard, type HandlerContext, type Job, snooze } from '../../../queue/index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ n: number }>({ maxAttempts: 3, backoff: { kind: 'fixed', firstMs: 1_000, jitter: 0 } }),
  other: queue<{ n: number }>({ maxAttempts: 1, deadLetter: 'letters' }),
  hasty: queue<{ n: number }>({ maxAttempts: 1, timeoutMs: 20 }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  return { storage, jobs: storage.queue('jobs'), time }
}

function numbers(jobs: readonly { readonly data: { readonly n: number } }[]): number[] {
  return jobs.map(({ data }) => data.n)
}

/** What happens where the features of queues meet: keys, groups, jobs before others, steps, transactions. */
export const queueCrossingCases: readonly ConformanceCase[] = [
  {
    id: 'queue/replaced-after',
    title:
      'A job that takes the place of another comes after the jobs that it names, and no longer after those of the other',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const [first, second] = await jobs.enqueueMany([{ data: { n: 1 } }, { data: { n: 2 } }])
      const [a, b] = [first, second] as [NonNullable<typeof first>, NonNullable<typeof first>]
      await jobs.enqueue({ n: 3 }, { key: 'k', after: [a] })
      const replaced = await jobs.enqueue({ n: 4 }, { key: 'k', onDuplicate: 'replace', after: [b] })
      assert.equal(replaced.waitsFor, 'jobs')
      const taken = await jobs.dequeueMany(10)
      assert.deepEqual(numbers(taken), [1, 2])
      await jobs.acknowledge(taken[0] as typeof a)
      assert.equal(await jobs.dequeue(), null)
      await jobs.acknowledge(taken[1] as typeof a)
      assert.deepEqual(numbers(await jobs.dequeueMany(10)), [4])
    },
  },
  {
    id: 'queue/replaced-after-waiting',
    title: 'A job that waits may be replaced by one that comes after others, but not by one that comes after itself',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const a = await jobs.enqueue({ n: 1 })
      const waiting = await jobs.enqueue({ n: 3 }, { key: 'k' })
      const behind = await jobs.enqueue({ n: 5 }, { after: [await jobs.enqueue({ n: 6 }, { after: [waiting] })] })
      for (const after of [waiting, behind]) {
        const options = { key: 'k', onDuplicate: 'replace', after: [a, after] } as const
        await refused(() => jobs.enqueue({ n: 4 }, options), { code: 'VALIDATION', paths: ['after'] })
      }
      await jobs.enqueue({ n: 4 }, { key: 'k', onDuplicate: 'replace', after: [a] })
      const taken = await jobs.dequeueMany(10)
      assert.deepEqual(numbers(taken), [1])
      await jobs.acknowledge(taken[0] as typeof a)
      assert.deepEqual(numbers(await jobs.dequeueMany(10)), [4])
    },
  },
  {
    id: 'queue/replaced-together',
    title:
      'Of jobs that are replaced by one call one may come after the other, or a new one after both, but not each after the other',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const [a, b] = [await jobs.enqueue({ n: 1 }, { key: 'a' }), await jobs.enqueue({ n: 2 }, { key: 'b' })]
      const replacing = (n: number, key: string, after: readonly Job[] = []) =>
        ({ data: { n }, key, onDuplicate: 'replace', after }) as const
      await refused(() => jobs.enqueueMany([replacing(3, 'a', [b]), replacing(4, 'b', [a])]), {
        code: 'VALIDATION',
        paths: ['after'],
      })
      await jobs.enqueueMany([replacing(5, 'a', [b]), replacing(6, 'b'), replacing(7, 'c', [a, b])])
      // What the first came after is forgotten when it is replaced.
      await jobs.enqueueMany([replacing(8, 'b', [a]), replacing(9, 'a')])
      const order: number[] = []
      await jobs.drain((job) => void order.push(job.data.n))
      assert.deepEqual(order, [9, 8, 7])
    },
  },
  {
    id: 'queue/replaced-and-tried-again',
    title: 'Jobs that came after each other, one after the other had ended, are queued again together and both run',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const first = await jobs.enqueue({ n: 1 }, { key: 'k' })
      const second = await jobs.enqueue({ n: 2 }, { after: [first] })
      await jobs.cancel(second.id)
      await jobs.enqueue({ n: 3 }, { key: 'k', onDuplicate: 'replace', after: [second], onFailure: 'run' })
      await jobs.cancel(first.id)
      assert.equal(await jobs.retryMany({ state: 'cancelled' }), 2)
      const order: number[] = []
      await jobs.drain((job) => void order.push(job.data.n))
      assert.deepEqual(order, [2, 3])
    },
  },
  {
    id: 'queue/tried-again-in-transaction',
    title: 'A job that fails and is queued again in one transaction has not failed for those that come after it',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const first = await jobs.enqueue({ n: 1 })
      const before = await jobs.enqueue({ n: 2 }, { after: [first] })
      const after = await storage.transaction(async (tx) => {
        await tx.queue('jobs').cancel(first.id)
        await tx.queue('jobs').retry(first.id)
        return tx.queue('jobs').enqueue({ n: 3 }, { after: [first] })
      })
      const order: number[] = []
      await jobs.drain((job) => void order.push(job.data.n))
      assert.deepEqual(order, [1, 2, 3])
      for (const { id } of [first, before, after]) assert.equal((await jobs.get(id))?.state, 'completed')
    },
  },
  {
    id: 'queue/replaced-group',
    title: 'When a job is replaced by one of another group, the next of its group gets through',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      await jobs.enqueue({ n: 1 }, { group: 'a', key: 'k' })
      await jobs.enqueue({ n: 2 }, { group: 'a' })
      await jobs.enqueue({ n: 3 }, { group: 'b', key: 'k', onDuplicate: 'replace' })
      assert.deepEqual(numbers(await jobs.dequeueMany(10)).toSorted(), [2, 3])
    },
  },
  {
    id: 'queue/replaced-steps',
    title: 'A job that takes the place of another knows nothing of its steps',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 }, { key: 'k' })
      const handler =
        (fails: boolean) =>
        async (job: Job<{ n: number }>, { step }: HandlerContext<unknown>) => {
          const n = await step('read', () => job.data.n)
          if (fails) throw new Error('again')
          return n
        }
      await jobs.drain(handler(true))
      await jobs.enqueue({ n: 2 }, { key: 'k', onDuplicate: 'replace' })
      time.ahead += 2_000
      await jobs.drain(handler(false))
      assert.equal((await jobs.get(id))?.result, 2)
    },
  },
  {
    id: 'queue/snoozed-steps',
    title: 'A job that is put off remembers its steps',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      let ran = 0
      for (let round = 0; round < 2; round++) {
        await jobs.drain(async (_, { step }) => {
          await step('once', () => void ran++)
          return round === 0 ? snooze(1_000) : 'done'
        })
        time.ahead += 2_000
      }
      assert.equal(ran, 1)
      const job = await jobs.get(id)
      assert.deepEqual([job?.state, job?.errors], ['completed', []])
    },
  },
  {
    id: 'queue/snoozed-group',
    title: 'A job of a group that is put off is not overtaken',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const ran: number[] = []
      await jobs.enqueueMany([1, 2].map((n) => ({ data: { n }, group: 'g' })))
      const run = () =>
        jobs.drain((job) => {
          ran.push(job.data.n)
          return ran.length === 1 ? snooze(1_000) : undefined
        })
      await run()
      await jobs.enqueue({ n: 3 }, { group: 'g' })
      await run()
      time.ahead += 2_000
      await run()
      assert.deepEqual(ran, [1, 1, 2, 3])
    },
  },
  {
    id: 'queue/keys-ending',
    title: 'A job whose key is enqueued while the job that has it ends is given, or one is added',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      let adding = true
      let made = 0
      const add = async () => {
        for (let n = 0; n < 150; n++) {
          await jobs.enqueue({ n }, { key: 'k' })
          made++
        }
        adding = false
      }
      const end = async () => {
        while (adding) for (const job of await jobs.dequeueMany(5)) await jobs.acknowledge(job)
      }
      await Promise.all([add(), end(), end()])
      assert.equal(made, 150)
    },
  },
  {
    id: 'queue/keys-token',
    title: 'Whoever enqueues the key of a job that runs is not given its lease',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      await jobs.enqueue({ n: 1 }, { key: 'k' })
      await jobs.dequeue()
      const known = await jobs.enqueue({ n: 2 }, { key: 'k' })
      assert.deepEqual([known.state, known.token], ['active', null])
      await refused(() => jobs.acknowledge(known), 'LEASE_LOST')
    },
  },
  {
    id: 'queue/waiting-for-a-forgotten-job',
    title: 'Waiting for a job that is forgotten when it ends, or that is of another queue, ends',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      const elsewhere = await storage.queue('other').enqueue({ n: 1 })
      await refused(() => jobs.waitFor(elsewhere.id, { timeoutMs: 5_000 }), 'NOT_FOUND')
      const waiting = refused(() => jobs.waitFor(id, { pollMs: 300, timeoutMs: 5_000 }), 'NOT_FOUND')
      await sleep(100)
      await storage.transaction(async (tx) => {
        const job = (await tx.queue('jobs').dequeue()) as NonNullable<Awaited<ReturnType<typeof jobs.dequeue>>>
        await tx.queue('jobs').acknowledge(job)
        await tx.queue('jobs').purge()
      })
      await waiting
    },
  },
  {
    id: 'queue/taken-inside',
    title: 'In a transaction jobs are taken while others must be rescued, or have come due in their groups',
    async run({ open }) {
      const { storage, jobs, time } = await openWithClock(open)
      for (const isolation of ['serializable', 'read committed'] as const) {
        await jobs.enqueue({ n: 1 })
        assert.equal((await jobs.dequeue({ leaseMs: 1_000 }))?.data.n, 1)
        await jobs.enqueue({ n: 2 }, { group: 'g', delayMs: 1_000 })
        time.ahead += 60_000
        const taken = await storage.transaction((tx) => tx.queue('jobs').dequeueMany(10), { isolation })
        taken.push(...(await jobs.dequeueMany(10)))
        assert.deepEqual(numbers(taken).toSorted(), [1, 2])
        for (const job of taken) await jobs.acknowledge(job)
      }
    },
  },
  {
    id: 'queue/waiting-inside',
    title: 'Waiting for a job inside a transaction, which could not see its end, is refused',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      await storage.transaction((tx) =>
        refused(() => tx.queue('jobs').waitFor(id, { timeoutMs: 50 }), 'TRANSACTION_MISUSE'),
      )
    },
  },
  {
    id: 'queue/progress-kept',
    title: 'What a handler said of its progress stays with the job, also when it is tried again or has ended',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      await jobs.drain(async (_, { progress }) => {
        await progress(1)
        throw new Error('again')
      })
      assert.equal((await jobs.get(id))?.progress, 1)
      time.ahead += 2_000
      await jobs.drain(async (_, { progress }) => progress(2))
      assert.equal((await jobs.get(id))?.progress, 2)
    },
  },
  {
    id: 'queue/undeclared-limit',
    title: 'A process that does not know how many of a group may run leaves that to those that do',
    needs: ['persistent'],
    async run({ open }) {
      const wide = await open(defineSchema({ jobs: queue<{ n: number }>({ groupConcurrency: 3 }) }))
      const plain = await open(defineSchema({}))
      const q = wide.queue('jobs')
      await q.enqueue({ n: 0 }, { group: 'g' })
      await plain.queue('jobs').enqueue({ n: 1 }, { group: 'g' })
      assert.equal((await q.dequeueMany(10)).length, 2)
    },
  },
  {
    id: 'queue/stop-twice',
    title: 'A worker may be stopped twice at once',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const { id } = await jobs.enqueue({ n: 1 })
      const worker = jobs.work(() => sleep(200))
      while ((await jobs.get(id))?.state !== 'active') await sleep(5)
      const started = performance.now()
      await Promise.all([worker.stop(), worker.stop()])
      assert.ok(performance.now() - started < 5_000)
    },
  },
  {
    id: 'queue/retried-flow',
    title: 'Jobs of a flow that are queued again keep their order',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const root = await jobs.enqueue({ n: 1 })
      await jobs.enqueue({ n: 2 }, { after: [root], priority: 1 })
      await jobs.drain(() => {
        throw discard('no')
      })
      assert.equal(await jobs.retryMany(), 2)
      const ran: number[] = []
      await jobs.drain((job) => void ran.push(job.data.n))
      assert.deepEqual(ran, [1, 2])
    },
  },
  {
    id: 'queue/letters-tried',
    title: 'Dead letters are tried as often as their queue says',
    async run({ open }) {
      const letters = queue<{ id: string }>({ maxAttempts: 2 })
      const storage = await open(
        defineSchema({ jobs: queue<number>({ maxAttempts: 1, deadLetter: 'letters' }), letters }),
      )
      await storage.queue('jobs').enqueue(1)
      await storage.queue('jobs').drain(() => Promise.reject(new Error('broken')))
      assert.deepEqual(pick(await storage.queue('letters').list(), 'maxAttempts'), [2])
    },
  },
  {
    id: 'queue/letters-in-order',
    title: 'The dead letters of jobs that fail with one before them come in the order in which those were added',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const other = storage.queue('other')
      const first = await jobs.enqueue({ n: 0 })
      // Added in an order of their own, and tied to the first in another.
      const made: Job[] = []
      for (let n = 1; n <= 8; n++) made.push(await other.enqueue({ n }, { key: `k${n}` }))
      for (const n of [5, 2, 8, 1, 7, 3, 6, 4])
        await other.enqueue({ n }, { key: `k${n}`, onDuplicate: 'replace', after: [first] })
      await jobs.cancel(first.id)
      const letters = await storage.queue<{ id: string }>('letters').dequeueMany(10)
      assert.deepEqual(
        letters.map(({ data }) => data.id),
        pick(made, 'id'),
      )
    },
  },
  {
    id: 'queue/letters-elsewhere',
    title: 'A job that fails with one of another queue goes to the dead letters of its own, however much it holds',
    async run({ open }) {
      const { storage, jobs } = await openWithClock(open)
      const root = await jobs.enqueue({ n: 1 })
      const deep = JSON.parse(`${'{"a":'.repeat(250)}1${'}'.repeat(250)}`)
      const deepest = JSON.parse(`${'{"a":'.repeat(256)}1${'}'.repeat(256)}`)
      const other = storage.queue('other')
      const made = await other.enqueueMany([deep, deepest].map((data) => ({ data: wrong(data), after: [root] })))
      await jobs.cancel(root.id)
      const letters = await storage.queue<{ id: string; data: unknown }>('letters').dequeueMany(5)
      assert.deepEqual(new Set(letters.map(({ data }) => data.id)), new Set(pick(made, 'id')))
      assert.deepEqual(letters.map(({ data }) => data.data === null).toSorted(), [false, true])
      assert.equal((await other.stats()).failed, 2)
    },
  },
]
