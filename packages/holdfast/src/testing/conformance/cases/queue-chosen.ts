import assert from 'node:assert/strict'
import type { Job } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

interface Mail {
  n: number
  to?: string
  order?: { id: string; lines: number[] }
}

const schema = defineSchema({ mail: queue<Mail>({ maxAttempts: 1 }), any: queue<unknown>() })
const NUL = String.fromCharCode(0)

const numbers = (jobs: readonly Job<Mail>[]) => jobs.map(({ data }) => data.n).toSorted((a, b) => a - b)

/** Jobs that are chosen by what is in them. */
export const queueChosenCases: readonly ConformanceCase[] = [
  {
    id: 'queue/chosen-by-payload',
    title: 'Jobs are listed, cancelled, tried again and forgotten by what is in their payloads, wherever they stand',
    async run({ open }) {
      const mail = (await open(schema)).queue('mail')
      const add = (n: number, to: string, options = {}) => ({ data: { n, to }, ...options })
      await mail.enqueueMany([add(1, 'kim'), add(2, 'lee'), add(3, 'kim')])
      await mail.drain(({ data }) => {
        if (data.n > 1) throw new Error('broken')
      })
      await mail.enqueueMany([add(4, 'kim'), add(5, 'kim', { delayMs: 60_000 }), add(6, 'lee'), add(7, 'kim')])
      const other = await mail.enqueue({ n: 8, to: 'kim' }, { group: 'g' })
      const kims = { data: { to: 'kim' } }
      assert.deepEqual(numbers(await mail.list(kims)), [1, 3, 4, 5, 7, 8])
      assert.deepEqual(numbers(await mail.list({ ...kims, state: 'scheduled' })), [5])
      assert.deepEqual(numbers(await mail.list({ ...kims, group: 'g' })), [8])
      assert.equal((await mail.list({ ...kims, limit: 2 })).length, 2)
      const pages: Job<Mail>[] = []
      for (let after: string | null | undefined; after !== null; ) {
        const { items, next } = await mail.page({ ...kims, first: 2, after })
        pages.push(...items)
        after = next
      }
      assert.deepEqual(numbers(pages), [1, 3, 4, 5, 7, 8])

      assert.equal(await mail.retryMany(kims), 1)
      assert.deepEqual(numbers(await mail.list({ state: 'failed' })), [2])
      assert.equal(await mail.cancelMany({ ...kims, state: 'scheduled' }), 1)
      assert.equal(await mail.cancelMany({ data: { to: 'kim', n: { lt: 5 } } }), 2)
      assert.equal(await mail.cancelMany({ ...kims, limit: 1 }), 1)
      assert.deepEqual(numbers(await mail.list({ state: 'waiting' })), [6, 8])
      assert.equal((await mail.get(other.id))?.state, 'waiting')
      assert.equal(await mail.purge({ ...kims, state: 'cancelled' }), 4)
      assert.equal(await mail.purge(kims), 1)
      assert.deepEqual(numbers(await mail.list()), [2, 6, 8])
    },
  },
  {
    id: 'queue/chosen-by-key',
    title: 'A job is found and cancelled by its key, by whoever did not keep its id',
    async run({ open }) {
      const mail = (await open(schema)).queue('mail')
      await mail.enqueueMany([{ data: { n: 1 }, key: 'kim' }, { data: { n: 2 }, key: 'lee' }, { data: { n: 3 } }])
      assert.deepEqual(numbers(await mail.list({ key: 'kim' })), [1])
      assert.equal(await mail.cancelMany({ key: 'kim' }), 1)
      assert.equal(await mail.cancelMany({ key: 'kim' }), 0)
      await mail.enqueue({ n: 4 }, { key: 'kim' })
      assert.deepEqual(numbers(await mail.list({ key: 'kim' })), [1, 4])
      assert.deepEqual(numbers((await mail.page({ key: 'kim', state: 'cancelled' })).items), [1])
      assert.equal(await mail.purge({ key: 'kim' }), 1)
      assert.deepEqual(numbers(await mail.list()), [2, 3, 4])
      await refused(() => mail.list({ key: '' }), { code: 'VALIDATION', paths: ['key'] })
    },
  },
  {
    id: 'queue/tags',
    title: 'Jobs carry tags, and are chosen by them wherever they stand',
    async run({ open }) {
      const mail = (await open(schema)).queue('mail')
      const [first] = await mail.enqueueMany([
        { data: { n: 1 }, tags: ['a', 'b', 'a'] },
        { data: { n: 2 }, tags: ['b'], group: 'g' },
        { data: { n: 3 }, tags: [] },
        { data: { n: 4, to: 'kim' }, tags: ['a', "it's %"], delayMs: 60_000 },
      ])
      assert.deepEqual(first?.tags, ['a', 'b'])
      const tags: unknown[] = []
      await mail.drain((job) => {
        tags[job.data.n] = job.tags
        if (job.data.n < 3) throw new Error('broken')
      })
      assert.deepEqual(tags.slice(1), [['a', 'b'], ['b'], []])
      assert.deepEqual(numbers(await mail.list({ tags: ['a'] })), [1, 4])
      assert.deepEqual(numbers((await mail.page({ tags: ['b', 'a'] })).items), [1])
      assert.deepEqual(numbers(await mail.list({ tags: ['b'], group: 'g' })), [2])
      assert.deepEqual(numbers(await mail.list({ tags: ["it's %"], data: { to: 'kim' } })), [4])
      assert.deepEqual(numbers(await mail.list({ tags: ['A'] })), [])
      assert.equal((await mail.list({ tags: [] })).length, 4)
      assert.equal(await mail.retryMany({ tags: ['a'] }), 1)
      assert.equal(await mail.cancelMany({ tags: ['a'] }), 2)
      assert.equal(await mail.purge({ tags: ['b'] }), 2)
      assert.deepEqual((await mail.list()).map((job) => [job.data.n, job.tags]).toSorted(), [
        [3, []],
        [4, ['a', "it's %"]],
      ])
    },
  },
  {
    id: 'queue/tags-refused',
    title: 'What is no list of tags is refused, where jobs are added and where they are chosen',
    async run({ open }) {
      const mail = (await open(schema)).queue('mail')
      const bad: readonly (readonly [unknown, string])[] = [
        ['a', 'tags'],
        [null, 'tags'],
        [[5], 'tags.0'],
        [['a', ''], 'tags.1'],
        [[`a${NUL}`], 'tags.0'],
        [['x'.repeat(2_000)], 'tags.0'],
      ]
      for (const [tags, path] of bad) {
        const expected = { code: 'VALIDATION', paths: [path] } as const
        await refused(() => mail.enqueue({ n: 1 }, wrong({ tags })), expected)
        await refused(() => mail.list(wrong({ tags })), expected)
        await refused(() => mail.cancelMany(wrong({ tags })), expected)
      }
    },
  },
  {
    id: 'queue/payload-conditions',
    title: 'A condition on payloads means what it means on records: paths, operators, nulls and complements',
    async run({ open }) {
      const storage = await open(schema)
      const mail = storage.queue('mail')
      await mail.enqueueMany([
        { data: { n: 1 } },
        { data: { n: 2, to: 'kim', order: { id: 'a', lines: [1, 2] } } },
        { data: { n: 3, to: 'Kim', order: { id: 'b', lines: [] } } },
      ])
      const find = async (data: object) => numbers(await mail.list({ data: wrong(data) }))
      assert.deepEqual(await find({}), [1, 2, 3])
      assert.deepEqual(await find({ 'order.id': 'b' }), [3])
      assert.deepEqual(await find({ 'order.lines': { has: 2 } }), [2])
      assert.deepEqual(await find({ to: null }), [1])
      assert.deepEqual(await find({ to: { ne: 'kim' } }), [1, 3])
      assert.deepEqual(await find({ n: { in: [1, 3, 9] } }), [1, 3])
      assert.deepEqual(await find({ n: '1' }), [])
      assert.deepEqual(await find({ not: { or: [{ n: 1 }, { and: [{ to: 'kim' }, { n: { gt: 1 } }] }] } }), [3])
      assert.deepEqual(await find({ or: [] }), [])
      // Names of columns mean nothing in payloads.
      assert.deepEqual(await find({ queue: 'mail' }), [])
      const any = storage.queue('any')
      await any.enqueueMany([{ data: { "it's": { '%': true } } }, { data: 'text' }, { data: null }, { data: [1] }])
      assert.equal((await any.list({ data: { "it's.%": true } })).length, 1)
      assert.equal((await any.list({ data: { length: null } })).length, 4)
    },
  },
  {
    id: 'queue/payload-conditions-refused',
    title: 'A condition that no payload could be held against is refused, and says where it is wrong',
    async run({ open }) {
      const mail = (await open(schema)).queue('mail')
      const bad: readonly (readonly [unknown, string])[] = [
        [null, 'data'],
        ['kim', 'data'],
        [[{ n: 1 }], 'data'],
        [{ '': 1 }, 'data.'],
        [{ 'order..id': 1 }, 'data.order..id'],
        [{ '__proto__.n': 1 }, 'data.__proto__.n'],
        [{ [`a${NUL}`]: 1 }, `data.a${NUL}`],
        [{ ['x'.repeat(2_000)]: 1 }, `data.${'x'.repeat(2_000)}`],
        [{ n: undefined }, 'data.n'],
        [{ n: 5n }, 'data.n'],
        [{ n: Number.NaN }, 'data.n'],
        [{ n: [1] }, 'data.n'],
        [{ to: `a${NUL}b` }, 'data.to'],
        [{ order: { id: 'a' } }, 'data.order.id'],
        [{ n: {} }, 'data.n'],
        [{ or: { n: 1 } }, 'data.or'],
        [{ not: [] }, 'data.not'],
      ]
      for (const [data, path] of bad)
        for (const call of [mail.list, mail.page, mail.cancelMany, mail.retryMany, mail.purge])
          await refused(() => (call as (filter: unknown) => unknown).call(mail, { data }), {
            code: 'VALIDATION',
            paths: [path],
          })
      const trap = Object.defineProperty({}, 'n', {
        enumerable: true,
        get() {
          throw new Error('trap')
        },
      })
      await refused(() => mail.list({ data: wrong(trap) }), { code: 'VALIDATION', paths: ['data.n'] })
    },
  },
  {
    id: 'queue/payload-conditions-versions',
    title: 'A condition on payloads goes by what was enqueued, whatever versions came since',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(defineSchema({ mail: queue<{ to: string }>({ version: 1 }) }))
      await before.queue('mail').enqueue({ to: 'kim' })
      const upgrade = (data: unknown) => ({ address: (data as { to: string }).to })
      const after = (await open(defineSchema({ mail: queue<{ address: string }>({ version: 2, upgrade }) }))).queue(
        'mail',
      )
      await after.enqueue({ address: 'kim' })
      assert.equal((await after.list({ data: { address: 'kim' } })).length, 1)
      assert.equal(await after.cancelMany({ data: { or: [{ address: 'kim' }, wrong({ to: 'kim' })] } }), 2)
    },
  },
]
