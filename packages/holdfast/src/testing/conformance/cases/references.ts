import assert from 'node:assert/strict'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refusedWhole } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  users: table({ id: t.integer().primaryKey(), name: t.text().default('') }),
  orders: table({
    id: t.integer().primaryKey(),
    userId: t.integer().references('users', { onDelete: 'cascade', onUpdate: 'cascade' }),
  }),
  lines: table({ id: t.integer().primaryKey(), orderId: t.integer().references('orders', { onDelete: 'cascade' }) }),
  notes: table({
    id: t.integer().primaryKey(),
    userId: t.integer().nullable().references('users', { onDelete: 'setNull', onUpdate: 'setNull' }),
  }),
  holds: table({ id: t.integer().primaryKey(), lineId: t.integer().nullable().references('lines') }),
})

const tree = defineSchema({
  nodes: table({ id: t.integer().primaryKey(), parentId: t.integer().nullable().references('nodes') }),
  chain: table({
    id: t.integer().primaryKey(),
    parentId: t.integer().nullable().references('chain', { onDelete: 'cascade' }),
  }),
})

export const referenceCases: readonly ConformanceCase[] = [
  {
    id: 'references/to-nothing',
    title: 'A reference to no record is refused on insert, update and upsert, and names the field that refers',
    async run({ open }) {
      const storage = await open(schema)
      const orders = storage.repository('orders')
      await storage.repository('users').create({ id: 1 })
      await orders.create({ id: 1, userId: 1 })
      const violation = { code: 'CONSTRAINT_FOREIGN_KEY', model: 'orders', fields: ['userId'] } as const
      await refusedWhole(orders, () => orders.create({ id: 2, userId: 2 }), violation)
      await refusedWhole(
        orders,
        () =>
          orders.createMany([
            { id: 2, userId: 1 },
            { id: 3, userId: 2 },
          ]),
        violation,
      )
      await refusedWhole(orders, () => orders.update(1, { userId: 2 }), violation)
      await refusedWhole(orders, () => orders.updateMany({}, { userId: 2 }), violation)
      await refusedWhole(orders, () => orders.upsert({ id: 1, userId: 2 }), violation)
      await refusedWhole(orders, () => orders.upsert({ id: 2, userId: 2 }), violation)
    },
  },
  {
    id: 'references/of-an-upsert',
    title:
      'A broken reference of an upsert is named by what was written: by the record or, where there is one, by its change',
    async run({ open }) {
      const shelves = table({ id: t.integer().primaryKey() })
      const things = table({
        id: t.integer().primaryKey(),
        left: t.integer().nullable().references('shelves'),
        right: t.integer().nullable().references('shelves'),
        inside: t.integer().nullable().references('things'),
      })
      const storage = await open(defineSchema({ shelves, things }))
      const upsert = (record: { id: number; left?: number; right?: number }, update?: object) => () =>
        storage.repository('things').upsert(record, update && { update })
      const broken = (...fields: string[]) => ({ code: 'CONSTRAINT_FOREIGN_KEY', model: 'things', fields }) as const
      const rows = storage.repository('things')
      await refusedWhole(rows, upsert({ id: 1, right: 9 }, { left: 9 }), broken('right'))
      await rows.create({ id: 1 })
      await refusedWhole(rows, upsert({ id: 1, left: 9 }, { right: 9 }), broken('right'))
      await refusedWhole(rows, upsert({ id: 1, right: 9 }), broken('right'))
      await rows.create({ id: 2, inside: 1 })
      await refusedWhole(rows, upsert({ id: 1, left: 9 }, { id: 3 }), broken('inside'))
    },
  },
  {
    id: 'references/restrict',
    title: 'A record that others refer to cannot go or change its key, and the error names the side that refers',
    async run({ open }) {
      const storage = await open(schema)
      const [users, orders, lines, holds] = [
        storage.repository('users'),
        storage.repository('orders'),
        storage.repository('lines'),
        storage.repository('holds'),
      ]
      await users.create({ id: 1 })
      await orders.create({ id: 1, userId: 1 })
      await lines.createMany([
        { id: 1, orderId: 1 },
        { id: 2, orderId: 1 },
      ])
      await holds.create({ id: 1, lineId: 2 })
      const violation = { code: 'CONSTRAINT_FOREIGN_KEY', model: 'holds', fields: ['lineId'] } as const
      const all = [users, orders, lines, holds]
      await refusedWhole(all, () => lines.delete(2), violation)
      await refusedWhole(all, () => lines.deleteMany({}), violation)
      await refusedWhole(all, () => lines.update(2, { id: 3 }), violation)
      await refusedWhole(all, () => orders.delete(1), violation)
      await refusedWhole(all, () => users.delete(1), violation)
      assert.equal(await lines.delete(1), true)
      await holds.update(1, { lineId: null })
      assert.equal(await users.delete(1), true)
      assert.deepEqual([await orders.count(), await lines.count(), await holds.count()], [0, 0, 1])
    },
  },
  {
    id: 'references/follow',
    title:
      'Deleting a record deletes or empties what refers to it, as far as that leads; a changed key is carried along',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('users').createMany([{ id: 1 }, { id: 2 }])
      await storage.repository('orders').createMany([
        { id: 1, userId: 1 },
        { id: 2, userId: 2 },
        { id: 3, userId: 1 },
      ])
      await storage.repository('lines').createMany([
        { id: 1, orderId: 1 },
        { id: 2, orderId: 2 },
        { id: 3, orderId: 3 },
      ])
      await storage.repository('notes').createMany([
        { id: 1, userId: 1 },
        { id: 2, userId: 2 },
      ])
      await storage.repository('users').update(2, { id: 20 })
      assert.deepEqual(pick(await storage.repository('orders').find(), 'userId'), [1, 20, 1])
      assert.deepEqual(pick(await storage.repository('notes').find(), 'userId'), [1, null])
      assert.equal(await storage.repository('users').deleteMany({ id: 1 }), 1)
      assert.deepEqual(pick(await storage.repository('orders').find(), 'id'), [2])
      assert.deepEqual(pick(await storage.repository('lines').find(), 'id'), [2])
      assert.deepEqual(pick(await storage.repository('notes').find(), 'userId'), [null, null])
    },
  },
  {
    id: 'references/one-statement',
    title: 'Records of one call may refer to each other in any order, and may go together',
    async run({ open }) {
      const nodes = (await open(tree)).repository('nodes')
      await nodes.createMany([
        { id: 3, parentId: 1 },
        { id: 2, parentId: 3 },
        { id: 1, parentId: 1 },
      ])
      await refusedWhole(nodes, () => nodes.delete(3), {
        code: 'CONSTRAINT_FOREIGN_KEY',
        model: 'nodes',
        fields: ['parentId'],
      })
      assert.equal(await nodes.deleteMany({ id: { in: [2, 3] } }), 2)
      assert.equal(await nodes.delete(1), true)
    },
  },
  {
    id: 'references/long-chain',
    title: 'A cascade follows a chain of 500 records, and a cycle',
    async run({ open }) {
      const chain = (await open(tree)).repository('chain')
      await chain.createMany(Array.from({ length: 500 }, (_, id) => ({ id, parentId: id === 0 ? null : id - 1 })))
      assert.equal(await chain.delete(0), true)
      assert.equal(await chain.count(), 0)
      await chain.createMany([
        { id: 1, parentId: 3 },
        { id: 2, parentId: 1 },
        { id: 3, parentId: 2 },
      ])
      assert.equal(await chain.delete(2), true)
      assert.equal(await chain.count(), 0)
    },
  },
  {
    id: 'references/cascade-count',
    title: 'A deletion counts every record that it asked for, also those that a cascade removed before their turn',
    async run({ open }) {
      const chain = (await open(tree)).repository('chain')
      await chain.createMany(Array.from({ length: 20 }, (_, id) => ({ id, parentId: id === 0 ? null : id - 1 })))
      assert.equal(await chain.deleteMany({ id: { in: [3, 5, 19] } }), 3)
      assert.equal(await chain.deleteMany({}), 3)
    },
  },
  {
    id: 'references/transaction',
    title: 'A broken reference inside a transaction is found at its statement, not at the commit',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        await refusedWhole(
          [],
          () => tx.transaction((inner) => inner.repository('orders').create({ id: 1, userId: 1 })),
          'CONSTRAINT_FOREIGN_KEY',
        )
        await tx.repository('users').create({ id: 1 })
        await tx.repository('orders').create({ id: 1, userId: 1 })
      })
      assert.equal(await storage.repository('orders').count(), 1)
    },
  },
  {
    id: 'references/race',
    title: 'A record that is deleted while others come to refer to it leaves no reference to nothing',
    async run({ open }) {
      const storage = await open(schema)
      for (let round = 0; round < 5; round++) {
        await storage.repository('users').create({ id: round })
        await Promise.allSettled([
          ...Array.from({ length: 8 }, (_, index) =>
            storage.repository('orders').create({ id: round * 100 + index, userId: round }),
          ),
          storage.repository('users').delete(round),
          ...Array.from({ length: 8 }, (_, index) =>
            storage.repository('notes').create({ id: round * 100 + index, userId: round }),
          ),
        ])
      }
      const users = new Set(pick(await storage.repository('users').find(), 'id'))
      assert.ok((await storage.repository('orders').find()).every(({ userId }) => users.has(userId)))
      assert.ok((await storage.repository('notes').find()).every(({ userId }) => userId === null || users.has(userId)))
    },
  },
  {
    id: 'references/to-documents',
    title: 'A table may refer to documents',
    async run({ open }) {
      const storage = await open(
        defineSchema({
          plans: documents<{ name: string }>(),
          runs: table({ id: t.integer().primaryKey(), planId: t.text().references('plans', { onDelete: 'cascade' }) }),
        }),
      )
      const runs = storage.repository('runs')
      await storage.repository('plans').create({ id: 'p', name: 'x' })
      await runs.create({ id: 1, planId: 'p' })
      await refusedWhole(runs, () => runs.create({ id: 2, planId: 'q' }), {
        code: 'CONSTRAINT_FOREIGN_KEY',
        model: 'runs',
        fields: ['planId'],
      })
      await storage.repository('plans').delete('p')
      assert.equal(await runs.count(), 0)
    },
  },
]
