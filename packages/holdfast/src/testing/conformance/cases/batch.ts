import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, queue, t, table } from '../../../schema/index.ts'
import { refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  rows: table({ id: t.integer().primaryKey(), n: t.integer().check({ gte: 0 }) }, { versioned: true }),
  docs: documents<{ n: number }>(),
  checked: documents<{ n: number }>({
    schema: {
      '~standard': { version: 1, vendor: 'conformance', validate: (value) => ({ value: value as { n: number } }) },
    },
  }),
  jobs: queue<{ id: number }>(),
})

export const batchCases: readonly ConformanceCase[] = [
  {
    id: 'batch/order',
    title: 'A batch does its operations in order and gives what each gave',
    async run({ open }) {
      const storage = await open(schema)
      const given = await storage.batch([
        { insert: 'rows', values: { id: 1, n: 1 } },
        {
          insert: 'rows',
          values: [
            { id: 2, n: 2 },
            { id: 3, n: 3 },
          ],
        },
        { update: 'rows', id: 1, set: { n: increment(5) }, ifVersion: 1 },
        { delete: 'rows', id: 2 },
        { delete: 'rows', id: 2 },
        { insert: 'docs', values: { id: 'a', n: 1 } },
        { enqueue: 'jobs', data: { id: 1 } },
      ])
      assert.deepEqual(given.slice(0, 5), [
        { id: 1, n: 1, version: 1 },
        [
          { id: 2, n: 2, version: 1 },
          { id: 3, n: 3, version: 1 },
        ],
        { id: 1, n: 6, version: 2 },
        true,
        false,
      ])
      assert.equal(await storage.repository('rows').count(), 2)
      assert.equal((await storage.queue('jobs').dequeue())?.id, given[6].id)
      assert.deepEqual(await storage.batch([]), [])
    },
  },
  {
    id: 'batch/several-statements',
    title: 'An operation of a batch that takes several statements is done before the next begins',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('checked').create({ id: 'a', n: 1 })
      const given = await storage.batch([
        { update: 'checked', id: 'a', set: { n: increment(1) } },
        { update: 'checked', id: 'a', set: { n: increment(1) } },
        { delete: 'checked', id: 'a' },
        { insert: 'checked', values: { id: 'a', n: 9 } },
      ])
      assert.deepEqual([given[1].n, given[2]], [3, true])
      assert.equal((await storage.repository('checked').getById('a')).version, 1)
    },
  },
  {
    id: 'batch/all-or-none',
    title: 'One operation that fails undoes the batch, and its own error is the one that is given',
    async run({ open }) {
      const storage = await open(schema)
      const [rows, docs] = [storage.repository('rows'), storage.repository('docs')]
      await rows.createMany([
        { id: 1, n: 1 },
        { id: 2, n: 2 },
      ])
      const before = [
        { insert: 'rows', values: { id: 3, n: 3 } },
        { insert: 'docs', values: { id: 'a', n: 1 } },
        { enqueue: 'jobs', data: { id: 1 } },
        { delete: 'rows', id: 2 },
      ] as const
      const after = [{ insert: 'rows', values: { id: 4, n: 4 } }] as const
      const failing = [
        [{ insert: 'rows', values: { id: 1, n: 1 } }, 'CONFLICT_UNIQUE'],
        [{ insert: 'rows', values: { id: 9, n: -1 } }, 'CONSTRAINT_CHECK'],
        [{ insert: 'rows', values: { id: 9 } }, 'VALIDATION'],
        [{ update: 'rows', id: 9, set: { n: 1 } }, 'NOT_FOUND'],
        [{ update: 'rows', id: 1, set: { n: 1 }, ifVersion: 7 }, 'CONFLICT_VERSION'],
        [{ update: 'rows', id: 1, set: { nope: 1 } }, 'VALIDATION'],
        [{ delete: 'rows', id: 'x' }, 'VALIDATION'],
        [{ replace: 'rows' }, 'VALIDATION'],
      ] as const
      for (const [operation, code] of failing) {
        await refusedWhole([rows, docs], () => storage.batch([...before, wrong(operation), ...after]), code)
      }
      assert.equal(await storage.queue('jobs').dequeue(), null)
    },
  },
  {
    id: 'batch/first-error',
    title: 'Of several operations that fail the first one tells why, also where another is refused before it has run',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('rows').create({ id: 1, n: 1 })
      const taken = { insert: 'rows', values: { id: 1, n: 1 } } as const
      const unreadable = { insert: 'rows', values: wrong({ id: 'x' }) } as const
      await refused(() => storage.batch([taken, unreadable]), 'CONFLICT_UNIQUE')
      await refused(() => storage.batch([unreadable, taken]), 'VALIDATION')
    },
  },
  {
    id: 'batch/refused',
    title: 'What is not a list of operations is refused',
    async run({ open }) {
      const storage = await open(schema)
      for (const operations of [null, undefined, {}, 'x', [null], [5], ['insert']]) {
        await refused(() => storage.batch(wrong(operations)), 'VALIDATION')
      }
    },
  },
]
