import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { snooze } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({ jobs: queue<{ n: number }>() })

/** Invalid options, jobs, names and times. */
export const queueHostileCases: readonly ConformanceCase[] = [
  {
    id: 'queue/hostile-calls',
    title: 'Calls on a queue with invalid options, jobs, names or times are refused, and change nothing',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      await jobs.enqueue({ n: 1 }, { maxAttempts: 1 })
      await jobs.drain(() => assert.fail('broken'))
      const { id } = await jobs.enqueue({ n: 2 })
      const job = (await jobs.dequeue()) as NonNullable<Awaited<ReturnType<typeof jobs.dequeue>>>
      const before = await jobs.stats()
      const most = Number.MAX_SAFE_INTEGER
      const bad: readonly (readonly [() => unknown, string])[] = [
        [() => jobs.enqueue({ n: 1 }, wrong(null)), 'options'],
        [() => jobs.enqueue({ n: 1 }, { delayMs: most }), 'delayMs'],
        [() => jobs.enqueue({ n: 1 }, { key: 'k', windowMs: most }), 'windowMs'],
        [() => jobs.enqueue({ n: 1 }, { runAt: new Date(8.64e15) }), 'runAt'],
        [() => jobs.enqueue({ n: 1 }, { backoff: wrong(null) }), 'backoff'],
        [() => jobs.enqueue({ n: 1 }, { backoff: { firstMs: most } }), 'backoff.firstMs'],
        [() => jobs.enqueueMany(wrong(null)), 'jobs'],
        [() => jobs.enqueueMany(wrong([{ data: { n: 1 } }, null])), '1'],
        [() => jobs.dequeue(wrong(null)), 'options'],
        [() => jobs.dequeue(wrong({ lease: 5 })), 'lease'],
        [() => jobs.dequeue({ leaseMs: most }), 'leaseMs'],
        [() => jobs.extend(job, most), 'leaseMs'],
        [() => jobs.purge(wrong({ befor: new Date(0) })), 'befor'],
        [() => jobs.purge(wrong({ state: '' })), 'state'],
        [() => jobs.purge(wrong({ before: null })), 'before'],
        [() => jobs.purge(wrong({ before: 'x' })), 'before'],
        [() => jobs.purge({ before: new Date(Number.NaN) }), 'before'],
        [() => jobs.purge({ before: new Date(8.64e15) }), 'before'],
        [() => jobs.purge(wrong(null)), 'options'],
        [() => jobs.retryMany(wrong({ befor: 1 })), 'befor'],
        [() => jobs.retryMany(wrong({ state: 'completed' })), 'state'],
        [() => jobs.retryMany({ limit: 0 }), 'limit'],
        [() => jobs.retryMany({ limit: 1.5 }), 'limit'],
        [() => jobs.retryMany(wrong({ after: 5 })), 'after'],
        [() => jobs.retryMany(wrong({ ids: 'x' })), 'ids'],
        [() => jobs.retryMany(wrong({ ids: ['x', 5] })), 'ids.1'],
        [() => jobs.cancelMany(wrong({ ids: 'x' })), 'ids'],
        [() => jobs.cancelMany(wrong({ ids: [null] })), 'ids.0'],
        [() => jobs.get(wrong(5)), 'id'],
        [() => jobs.get(''), 'id'],
        [() => jobs.retry(wrong(undefined)), 'id'],
        [() => jobs.acknowledge('\0'), 'job'],
        [() => jobs.list(wrong({ state: 'nope' })), 'state'],
        [() => jobs.list({ limit: -1 }), 'limit'],
        [() => jobs.cancelMany(wrong({ state: 'completed' })), 'state'],
        [() => jobs.list(wrong(null)), 'options'],
        [() => jobs.page(wrong({ state: 'nope' })), 'state'],
        [() => jobs.page({ first: 0 }), 'first'],
        [() => jobs.page({ group: '' }), 'group'],
        [() => jobs.page({ after: 'x' }), 'after'],
        [() => jobs.page(wrong(null)), 'options'],
        [() => jobs.cancel('a\0b'), 'id'],
        [() => jobs.cancel(wrong(undefined)), 'id'],
        [() => jobs.acknowledge(wrong(null)), 'job'],
        [() => jobs.acknowledge(wrong({ id: 'a\0', token: 'x', errors: [] })), 'job'],
        [() => jobs.fail(wrong({ id, token: 'x' }), 'e'), 'job'],
        [() => jobs.waitFor(wrong(null)), 'id'],
        [() => jobs.waitFor(id, wrong(null)), 'options'],
        [() => jobs.work(wrong(5)), 'handler'],
        [() => jobs.work(() => 1, wrong(null)), 'options'],
        [() => jobs.drain(wrong(5)), 'handler'],
        [() => jobs.worker(() => 1).stop(wrong({ timeoutMs: 'x' })), 'timeoutMs'],
        [() => snooze(Number.NaN), 'ms'],
        [() => snooze(most), 'ms'],
        [() => storage.queue('a\0b'), 'name'],
        [() => storage.queue(''), 'name'],
        [() => storage.queue('é'.repeat(501)), 'name'],
        [() => jobs.enqueue({ n: 1 }, { key: 'k'.repeat(1_001) }), 'key'],
        [() => storage.queue(wrong(null)), 'name'],
      ]
      for (const [call, path] of bad) await refused(async () => call(), { code: 'VALIDATION', paths: [path] })
      assert.deepEqual(await jobs.stats(), before)
      assert.equal(await jobs.worker(() => 1).stop({ timeoutMs: Number.POSITIVE_INFINITY }), undefined)
    },
  },
  {
    id: 'queue/ids-of-no-job',
    title: 'An id that no job can have is that of no job, and a token that nobody was given holds none',
    async run({ open }) {
      const jobs = (await open(schema)).queue('jobs')
      await jobs.enqueue({ n: 1 })
      const job = (await jobs.dequeue()) as NonNullable<Awaited<ReturnType<typeof jobs.dequeue>>>
      const [gone] = await jobs.enqueueMany([{ data: { n: 2 } }])
      assert.equal(await jobs.cancel((gone as typeof job).id), true)
      for (const id of [
        'nobody',
        `${job.id}0`,
        `{${job.id}}`,
        job.id.replaceAll('-', ''),
        "' or 1=1 --",
        randomUUID(),
      ]) {
        assert.equal(await jobs.get(id), null)
        assert.equal(await jobs.cancel(id), false)
        assert.equal(await jobs.cancelMany({ ids: [id] }), 0)
        assert.equal(await jobs.retry(id), false)
        assert.equal(await jobs.retryMany({ ids: [id] }), 0)
        assert.equal(await jobs.reschedule(id, { delayMs: 0 }), false)
        await refused(() => jobs.waitFor(id), 'NOT_FOUND')
        await refused(() => jobs.acknowledge(id), 'NOT_FOUND')
        await refused(() => jobs.enqueue({ n: 3 }, { after: [job.id, id] }), 'NOT_FOUND')
        await refused(() => jobs.acknowledge({ ...job, id }), 'LEASE_LOST')
        await refused(() => jobs.fail({ ...job, token: id }, new Error('no')), 'LEASE_LOST')
        await refused(() => jobs.extend({ ...job, token: id }, 1_000), 'LEASE_LOST')
      }
      const { waiting, active, cancelled } = await jobs.stats()
      assert.deepEqual({ waiting, active, cancelled }, { waiting: 0, active: 1, cancelled: 1 })
      await jobs.acknowledge(job)
    },
  },
  {
    id: 'queue/odd-names',
    title: 'Queues, keys and groups may have any names, also long ones and those of what objects have',
    async run({ open }) {
      const storage = await open(schema)
      // What compresses well would fit into an index all the same.
      const longest = Array.from({ length: 62 }, randomUUID).join('').slice(0, 1_000)
      for (const name of ['__proto__', 'constructor', longest, "o'hara; --", ' ']) {
        const odd = storage.queue<{ n: number }>(name)
        const options = { group: name, key: name, windowMs: 60_000 }
        await odd.enqueue({ n: 1 }, options)
        await odd.enqueue({ n: 2 }, options)
        const worker = odd.worker((job) => job.data.n)
        assert.equal(await worker.drain(), 1)
        assert.deepEqual(
          (await odd.list()).map(({ result }) => result),
          [1],
        )
      }
    },
  },
]
