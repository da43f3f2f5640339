import assert from 'node:assert/strict'
import type { Job } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({ jobs: queue<{ n: number }>() })

/** A queue, and a clock that a case moves. */
async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
  return { storage, jobs: storage.queue('jobs'), time }
}

export const queueKeyCases: readonly ConformanceCase[] = [
  {
    id: 'queue/keys-replace',
    title: 'With `replace` a job takes the place of one with its key that waits, and is added beside one that runs',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const first = await jobs.enqueue({ n: 1 }, { key: 'one', delayMs: 60_000 })
      const second = await jobs.enqueue({ n: 2 }, { key: 'one', onDuplicate: 'replace', priority: 3 })
      assert.deepEqual([second.id, second.data, second.priority, second.state], [first.id, { n: 2 }, 3, 'waiting'])
      const running = await jobs.dequeue()
      assert.deepEqual(running?.data, { n: 2 })
      const third = await jobs.enqueue({ n: 3 }, { key: 'one', onDuplicate: 'replace' })
      assert.notEqual(third.id, first.id)
      await jobs.acknowledge(running as NonNullable<typeof running>)
      const both = await jobs.enqueueMany([
        { data: { n: 4 }, key: 'one', onDuplicate: 'replace' },
        { data: { n: 5 }, key: 'one', onDuplicate: 'replace' },
      ])
      assert.deepEqual(pick(both, 'id'), [third.id, third.id])
      assert.deepEqual(pick(await jobs.dequeueMany(10), 'data'), [{ n: 5 }])
    },
  },
  {
    id: 'queue/keys-debounce',
    title: 'With `debounce` a job runs when nothing was enqueued with its key for the window, with what came last',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const options = { key: 'index', onDuplicate: 'debounce', windowMs: 10_000 } as const
      await jobs.enqueue({ n: 1 }, options)
      time.ahead += 6_000
      await jobs.enqueue({ n: 2 }, options)
      time.ahead += 6_000
      assert.equal(await jobs.dequeue(), null)
      time.ahead += 5_000
      assert.deepEqual((await jobs.dequeue())?.data, { n: 2 })
      assert.equal(await jobs.dequeue(), null)
    },
  },
  {
    id: 'queue/keys-window',
    title: 'With a window a key stands for one job for so long, even when it has finished',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const options = { key: 'digest', windowMs: 60_000 }
      const first = await jobs.enqueue({ n: 1 }, options)
      await jobs.acknowledge((await jobs.dequeue()) as typeof first)
      const again = await Promise.all(Array.from({ length: 5 }, (_, n) => jobs.enqueue({ n }, options)))
      assert.deepEqual(new Set(pick(again, 'id')), new Set([first.id]))
      assert.equal(again[0]?.state, 'completed')
      assert.equal(await jobs.dequeue(), null)
      time.ahead += 61_000
      assert.notEqual((await jobs.enqueue({ n: 9 }, options)).id, first.id)
      const many = await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n }, key: 'other', windowMs: 1_000 })))
      assert.equal(new Set(pick(many, 'id')).size, 1)
    },
  },
  {
    id: 'queue/keys-window-forgotten',
    title: 'A window holds when its job is forgotten: nothing is added, and a completed job of its id is given',
    async run({ open }) {
      const { jobs, time } = await openWithClock(open)
      const options = { key: 'digest', windowMs: 60_000 }
      const first = await jobs.enqueue({ n: 1 }, options)
      await jobs.acknowledge((await jobs.dequeue()) as typeof first)
      assert.equal(await jobs.purge(), 1)
      const [again, other] = await jobs.enqueueMany([
        { data: { n: 2 }, ...options },
        { data: { n: 3 }, key: 'other', windowMs: 60_000 },
      ])
      assert.deepEqual([again?.id, again?.state, again?.key], [first.id, 'completed', 'digest'])
      assert.deepEqual(pick(await jobs.dequeueMany(10), 'id'), [other?.id])
      time.ahead += 61_000
      assert.notEqual((await jobs.enqueue({ n: 4 }, options)).id, first.id)
    },
  },
  {
    id: 'queue/keys-window-late',
    title: 'A window that is asked for while a job has the key stands for that job',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const options = { key: 'digest', windowMs: 60_000 }
      const first = await jobs.enqueue({ n: 1 }, { key: 'digest' })
      const asked = await jobs.enqueueMany([2, 3].map((n) => ({ data: { n }, ...options })))
      assert.deepEqual(pick(asked, 'id'), [first.id, first.id])
      await jobs.acknowledge((await jobs.dequeue()) as typeof first)
      const again = await jobs.enqueue({ n: 4 }, options)
      assert.deepEqual([again.id, again.state, again.data], [first.id, 'completed', { n: 1 }])
      assert.equal(await jobs.dequeue(), null)
    },
  },
  {
    id: 'queue/keys-raced',
    title: 'Of twenty callers that enqueue one key at once, with every policy, one job comes',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const options = [
        {},
        { onDuplicate: 'replace' },
        { windowMs: 60_000 },
        { onDuplicate: 'debounce', windowMs: 1 },
      ] as const
      for (const [index, option] of options.entries()) {
        const made = await Promise.all(
          Array.from({ length: 20 }, (_, n) => jobs.enqueue({ n }, { key: `key ${index}`, ...option })),
        )
        assert.equal(new Set(pick(made, 'id')).size, 1, JSON.stringify(option))
      }
      assert.equal((await jobs.stats()).waiting, options.length)
    },
  },
  {
    id: 'queue/keys-in-one-call',
    title: 'Of jobs of one call with the same key the first is added, whatever the others are like',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      for (const policy of [{}, { windowMs: 60_000 }]) {
        const made = await jobs.enqueueMany([
          { data: { n: 1 } },
          { data: { n: 2 }, key: 'k', delayMs: 60_000, ...policy },
          { data: { n: 3 }, key: 'k', ...policy },
          { data: { n: 4 }, key: 'k', group: 'g', ...policy },
        ])
        assert.deepEqual(
          pick(made, 'data'),
          [1, 2, 2, 2].map((n) => ({ n })),
        )
        assert.equal(made[3]?.waitsFor, 'time')
        assert.equal(await jobs.cancelMany({ key: 'k' }), 1)
      }
    },
  },
  {
    id: 'queue/keys-taken-away',
    title: 'A job whose key another was given while it ran has none any more, however it ends',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const ends: readonly ((job: Job) => Promise<unknown>)[] = [
        (job) => jobs.acknowledge(job),
        (job) => jobs.acknowledge(job, { ok: true }),
        (job) => jobs.fail(job, 'broken', false),
        (job) => jobs.cancel(job.id),
      ]
      for (const end of ends) {
        const { id } = await jobs.enqueue({ n: 1 }, { key: 'k' })
        const running = (await jobs.dequeue()) as Job
        await jobs.enqueue({ n: 2 }, { key: 'k', onDuplicate: 'replace' })
        await end(running)
        assert.equal((await jobs.get(id))?.key, null)
        await jobs.cancelMany()
      }
    },
  },
  {
    id: 'queue/keys-refused',
    title: 'An unknown policy, or one that lacks its key or window, is refused',
    async run({ open }) {
      const { jobs } = await openWithClock(open)
      const bad: readonly (readonly [object, string])[] = [
        [{ onDuplicate: 'replace' }, 'key'],
        [{ windowMs: 5 }, 'key'],
        [{ key: 'a', onDuplicate: 'debounce' }, 'windowMs'],
        [{ key: 'a', onDuplicate: 'debounce', windowMs: 5, delayMs: 5 }, 'delayMs'],
        [{ key: 'a', onDuplicate: 'debounce', windowMs: 5, runAt: new Date() }, 'runAt'],
        [{ key: 'a', onDuplicate: 'merge' }, 'onDuplicate'],
        [{ key: 'a', windowMs: 0 }, 'windowMs'],
        [{ timeoutMs: Number.NaN }, 'timeoutMs'],
        [{ backoff: { kind: 'random' } }, 'backoff.kind'],
        [{ backoff: { jitter: 2 } }, 'backoff.jitter'],
        [{ group: '' }, 'group'],
        [{ after: 'x' }, 'after'],
        [{ after: [5] }, 'after'],
        [{ onFailure: 'stop' }, 'onFailure'],
      ]
      for (const [options, path] of bad)
        await refused(() => jobs.enqueue({ n: 1 }, wrong(options)), { code: 'VALIDATION', paths: [path] })
      assert.equal(await jobs.dequeue(), null)
    },
  },
]
