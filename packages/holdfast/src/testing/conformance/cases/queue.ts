import assert from 'node:assert/strict'
import type { Job, JobPage, JobStateFilter } from '../../../queue/index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  runs: table({ id: t.integer().primaryKey() }),
  jobs: queue<{ n: number }>({ maxAttempts: 2 }),
  mail: queue<string>(),
})

export const queueCases: readonly ConformanceCase[] = [
  {
    id: 'queue/order',
    title:
      'Jobs are taken by priority, then in the order in which they came; none before its time, none of another queue',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: 1 })
      await jobs.enqueue({ n: 2 }, { delayMs: 60_000 })
      await jobs.enqueueMany([{ data: { n: 3 } }, { data: { n: 4 }, priority: 5 }, { data: { n: 5 }, priority: -1 }])
      await storage.queue('mail').enqueue('x')
      const taken = await jobs.dequeueMany(10)
      assert.deepEqual(
        taken.map(({ data }) => data.n),
        [4, 1, 3, 5],
      )
      assert.ok(taken.every(({ state, attempt }) => state === 'active' && attempt === 1))
      assert.equal(await jobs.dequeue(), null)
    },
  },
  {
    id: 'queue/with-its-data',
    title: 'A job enqueued in a transaction exists exactly when its data does',
    async run({ open }) {
      const storage = await open(schema)
      const both = async (id: number, fail: boolean) =>
        storage.transaction(async (tx) => {
          await tx.repository('runs').create({ id })
          await tx.queue('jobs').enqueue({ n: id })
          if (fail) throw new Error('mine')
        })
      await both(1, false)
      await assert.rejects(both(2, true), /mine/)
      assert.deepEqual(pick(await storage.repository('runs').find(), 'id'), [1])
      assert.deepEqual(
        (await storage.queue('jobs').dequeueMany(10)).map(({ data }) => data.n),
        [1],
      )
    },
  },
  {
    id: 'queue/taken-once',
    title: 'Of 100 jobs that ten callers take at once each is taken once',
    async run({ open }) {
      const storage = await open(schema)
      await storage.queue('jobs').enqueueMany(Array.from({ length: 100 }, (_, n) => ({ data: { n } })))
      const taken: number[] = []
      const take = async () => {
        for (;;) {
          const found = await storage.queue('jobs').dequeueMany(4)
          if (found.length === 0) return
          taken.push(...found.map(({ data }) => data.n))
        }
      }
      await Promise.all(Array.from({ length: 10 }, take))
      assert.deepEqual(
        taken.toSorted((left, right) => left - right),
        Array.from({ length: 100 }, (_, n) => n),
      )
    },
  },
  {
    id: 'queue/ends',
    title: 'A job that is acknowledged is completed once; one that fails is tried again until its attempts are used up',
    async run({ open }) {
      let now = 1e12
      const storage = await open(schema, { clock: { now: () => now } })
      const jobs = storage.queue('jobs')
      await jobs.enqueueMany([{ data: { n: 1 }, priority: 1 }, { data: { n: 2 } }])
      const one = (await jobs.dequeue()) as NonNullable<Awaited<ReturnType<typeof jobs.dequeue>>>
      await jobs.acknowledge(one, { ok: true })
      await refused(() => jobs.acknowledge(one), 'LEASE_LOST')
      assert.deepEqual((await jobs.get(one.id))?.result, { ok: true })
      for (let attempt = 1; attempt <= 2; attempt++) {
        const two = (await jobs.dequeue()) as typeof one
        assert.deepEqual([two.data.n, two.attempt], [2, attempt])
        await jobs.fail(two, new Error(`attempt ${attempt}`))
        assert.equal(await jobs.dequeue(), null)
        now += 3_600_000
      }
      const { completed, failed, waiting, active } = await jobs.stats()
      assert.deepEqual({ completed, failed, waiting, active }, { completed: 1, failed: 1, waiting: 0, active: 0 })
      assert.deepEqual(
        (await jobs.list({ state: 'failed' }))[0]?.errors.map(({ message }) => message),
        ['attempt 1', 'attempt 2'],
      )
    },
  },
  {
    id: 'queue/states',
    title: 'A job that waits is waiting and says what for, and states choose all that wait or some of them',
    async run({ open }) {
      const storage = await open(schema, { clock: { now: () => 1e12 } })
      const jobs = storage.queue('jobs')
      const failing = await jobs.enqueue({ n: 1 })
      await jobs.fail((await jobs.dequeue()) as Job, new Error('once'))
      const now = await jobs.enqueue({ n: 2 })
      const later = await jobs.enqueue({ n: 3 }, { delayMs: 60_000 })
      const last = await jobs.enqueue({ n: 4 }, { after: [now], delayMs: 60_000 })
      const running = await jobs.enqueue({ n: 5 }, { priority: 1, group: 'g' })
      const next = await jobs.enqueue({ n: 6 }, { group: 'g' })
      await jobs.dequeue()
      const states = async (state?: JobStateFilter) =>
        (await jobs.list({ ...(state && { state }) })).map((job) => [job.data.n, job.state, job.waitsFor])
      const ready = [[2, 'waiting', 'worker']]
      const scheduled = [
        [1, 'waiting', 'time'],
        [3, 'waiting', 'time'],
      ]
      const blocked = [
        [6, 'waiting', 'jobs'],
        [4, 'waiting', 'jobs'],
      ]
      const active = [[5, 'active', null]]
      assert.deepEqual(await states('scheduled'), scheduled)
      assert.deepEqual(await states('blocked'), blocked)
      assert.deepEqual(await states('waiting'), [...ready, ...scheduled, ...blocked])
      assert.deepEqual(await states(), [...ready, ...scheduled, ...blocked, ...active])
      assert.deepEqual(pick([failing, now, later, last, running, next], 'state'), Array(6).fill('waiting'))
      assert.deepEqual(pick([now, later, last, running, next], 'waitsFor'), [
        'worker',
        'time',
        'jobs',
        'worker',
        'jobs',
      ])
      const none = { completed: 0, failed: 0, cancelled: 0 }
      assert.deepEqual(await jobs.stats(), { waiting: 5, scheduled: 2, blocked: 2, active: 1, ...none })
      assert.equal(await jobs.cancelMany({ state: 'scheduled', limit: 1 }), 1)
      assert.equal(await jobs.cancelMany({ state: 'waiting' }), 4)
      assert.deepEqual(
        await states('cancelled').then((all) => all.map(([, ...rest]) => rest)),
        Array(5).fill(['cancelled', null]),
      )
      assert.deepEqual(await states('waiting'), [])
    },
  },
  {
    id: 'queue/pages',
    title: 'Jobs of all states, of one or of a group are listed page by page, each once, in the order of a list',
    async run({ open }) {
      const jobs = (await open(schema)).queue('jobs')
      await jobs.enqueueMany(Array.from({ length: 5 }, (_, n) => ({ data: { n } })))
      for (const job of await jobs.dequeueMany(3)) await jobs.fail(job, new Error('broken'), false)
      await jobs.dequeue()
      const data = Array.from({ length: 4 }, (_, at) => ({
        data: { n: 10 + at },
        delayMs: 60_000 + at,
        group: `g${at % 2}`,
      }))
      await jobs.enqueueMany(data)
      const [blocker] = await jobs.enqueueMany([
        { data: { n: 20 }, priority: -1 },
        { data: { n: 21 }, delayMs: 1 },
      ])
      await jobs.enqueueMany([22, 23].map((n) => ({ data: { n }, after: [blocker as Job], delayMs: n * 1_000 })))
      const pagesOf = async (options: { state?: JobStateFilter; group?: string; first?: number }) => {
        const ids: string[] = []
        let after: string | null = null
        do {
          const { items, next }: JobPage = await jobs.page({ ...options, after })
          assert.ok(items.length <= (options.first ?? 100))
          ids.push(...pick(items, 'id'))
          after = next
        } while (after !== null)
        return ids
      }
      const all = pick(await jobs.list(), 'id')
      assert.equal(all.length, 13)
      for (const first of [1, 2, 3, 9, 100]) assert.deepEqual(await pagesOf({ first }), all)
      for (const state of ['failed', 'waiting', 'scheduled', 'blocked', 'active'] as const)
        for (const first of [1, 2, 3])
          assert.deepEqual(await pagesOf({ state, first }), pick(await jobs.list({ state }), 'id'))
      const ofGroup = (await jobs.list()).filter(({ group }) => group === 'g1')
      assert.deepEqual(await pagesOf({ group: 'g1', first: 1 }), pick(ofGroup, 'id'))
      assert.deepEqual((await jobs.page()).next, null)
    },
  },
  {
    id: 'queue/lease',
    title: 'A job whose lease ran out is taken by another, and the first can no longer end it',
    async run({ open }) {
      let now = 1e12
      const storage = await open(schema, { clock: { now: () => now } })
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: 1 })
      const first = (await jobs.dequeue({ leaseMs: 1_000 })) as NonNullable<Awaited<ReturnType<typeof jobs.dequeue>>>
      await jobs.extend(first, 5_000)
      now += 2_000
      assert.equal(await jobs.dequeue(), null)
      now += 5_000
      const second = (await jobs.dequeue()) as typeof first
      assert.deepEqual([second.id, second.attempt], [first.id, 2])
      await refused(() => jobs.acknowledge(first), 'LEASE_LOST')
      await refused(() => jobs.extend(first, 5_000), 'LEASE_LOST')
      await refused(() => jobs.fail(first, 'late'), 'LEASE_LOST')
      await jobs.acknowledge(second)
    },
  },
  {
    id: 'queue/key',
    title: 'While a live job has a key, another with it is the same job',
    async run({ open }) {
      const jobs = (await open(schema)).queue('jobs')
      const made = await Promise.all(Array.from({ length: 8 }, (_, n) => jobs.enqueue({ n }, { key: 'one' })))
      assert.equal(new Set(pick(made, 'id')).size, 1)
      const taken = await jobs.dequeueMany(10)
      assert.equal(taken.length, 1)
      await jobs.acknowledge(taken[0] as NonNullable<(typeof taken)[0]>)
      assert.notEqual((await jobs.enqueue({ n: 9 }, { key: 'one' })).id, taken[0]?.id)
    },
  },
  {
    id: 'queue/refused',
    title: 'An invalid payload or option is refused, and nothing is enqueued',
    async run({ open }) {
      const jobs = (await open(schema)).queue('jobs')
      const bad: readonly (readonly [object, string])[] = [
        [{ priority: 1.5 }, 'priority'],
        [{ delayMs: -1 }, 'delayMs'],
        [{ runAt: new Date(Number.NaN) }, 'runAt'],
        [{ runAt: new Date(), delayMs: 1 }, 'delayMs'],
        [{ maxAttempts: 0 }, 'maxAttempts'],
        [{ key: '' }, 'key'],
        [{ key: 'a\0' }, 'key'],
        [{ nope: 1 }, 'nope'],
      ]
      for (const [options, path] of bad)
        await refused(() => jobs.enqueue({ n: 1 }, wrong(options)), { code: 'VALIDATION', paths: [path] })
      await refused(() => jobs.enqueue(wrong({ n: 1n })), { code: 'VALIDATION', paths: ['data.n'] })
      await refused(() => jobs.enqueueMany([{ data: { n: 1 } }, { data: wrong({ n: '\0' }) }]), {
        code: 'VALIDATION',
        paths: ['1.data.n'],
      })
      for (const count of [0, 1.5, '1'])
        await refused(() => jobs.dequeueMany(wrong(count)), { code: 'VALIDATION', paths: ['count'] })
      assert.equal(await jobs.dequeue(), null)
    },
  },
]
