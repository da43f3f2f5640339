import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  items: table({
    id: t.integer().primaryKey(),
    name: t.text().nullable(),
    rank: t.integer().nullable().unique(),
    whole: t.integer().nullable(),
    big: t.bigint().nullable(),
    real: t.real().nullable(),
    price: t.decimal(6, 2).nullable(),
  }),
  counted: table({ id: t.integer().primaryKey(), whole: t.integer() }, { versioned: true }),
  docs: documents<{ n: number; m: number }>({ unique: ['n'] }),
})
const empty = { name: null, rank: null, whole: null, big: null, real: null, price: null }

export const updateCases: readonly ConformanceCase[] = [
  {
    id: 'update/patch',
    title: 'A patch changes the fields it names: undefined leaves one alone, null sets null, nothing changes nothing',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.createMany([
        { id: 1, name: 'a', whole: 1 },
        { id: 2, name: 'b', whole: 2 },
      ])
      assert.deepEqual(await items.update(1, { name: undefined, whole: 5 }), { ...empty, id: 1, name: 'a', whole: 5 })
      assert.deepEqual(await items.update(1, { name: null }), { ...empty, id: 1, whole: 5 })
      assert.deepEqual(await items.update(1, {}), { ...empty, id: 1, whole: 5 })
      assert.deepEqual(await items.update(1, { name: undefined }), { ...empty, id: 1, whole: 5 })
      assert.deepEqual(await items.getById(2), { ...empty, id: 2, name: 'b', whole: 2 })
    },
  },
  {
    id: 'update/missing',
    title: 'update of a record that is not there is NotFoundError with the key, also for an empty patch',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await refused(() => items.update(9, { name: 'x' }), { code: 'NOT_FOUND', model: 'items' })
      const error = await refused(() => items.update(9, {}), { code: 'NOT_FOUND', model: 'items' })
      assert.equal((error as { key?: unknown }).key, 9)
      assert.equal(await items.count(), 0)
    },
  },
  {
    id: 'update/key',
    title: 'A patch may change the key, unless the new one is taken',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.createMany([
        { id: 1, name: 'a' },
        { id: 2, name: 'b' },
      ])
      assert.deepEqual(await items.update(1, { id: 7 }), { ...empty, id: 7, name: 'a' })
      assert.equal(await items.findById(1), null)
      await refusedWhole(items, () => items.update(7, { id: 2 }), {
        code: 'CONFLICT_UNIQUE',
        model: 'items',
        fields: ['id'],
      })
    },
  },
  {
    id: 'update/increment',
    title: 'increment adds exactly, by any amount of the type of its column; null stays null',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.create({ id: 1, whole: 5, big: 2n ** 62n, real: 0.1, price: '19.90' })
      const patch = {
        whole: increment(-7),
        big: increment(2n ** 62n - 1n),
        real: increment(0.2),
        price: increment('0.20'),
      }
      assert.deepEqual(await items.update(1, patch), {
        ...empty,
        id: 1,
        whole: -2,
        big: 2n ** 63n - 1n,
        real: 0.1 + 0.2,
        price: '20.10',
      })
      await items.create({ id: 2 })
      assert.deepEqual(await items.update(2, patch), { ...empty, id: 2 })
      assert.equal((await items.update(1, { whole: increment(0), price: increment('-20.10') })).price, '0.00')
    },
  },
  {
    id: 'update/increment-overflow',
    title: 'An increment past what its column can hold is a broken check that names the field, and changes nothing',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.create({
        id: 1,
        whole: Number.MAX_SAFE_INTEGER,
        big: 2n ** 63n - 1n,
        real: Number.MAX_VALUE,
        price: '9999.99',
      })
      await items.create({ id: 2, whole: 0, big: 0n, real: 0, price: '0' })
      const patches = {
        whole: increment(1),
        big: increment(1n),
        real: increment(Number.MAX_VALUE),
        price: increment('0.01'),
      }
      for (const [field, change] of Object.entries(patches)) {
        const expected = { code: 'CONSTRAINT_CHECK', model: 'items', fields: [field] } as const
        await refusedWhole(items, () => items.update(1, { [field]: change }), expected)
        await refusedWhole(items, () => items.updateMany({}, { [field]: change }), expected)
      }
    },
  },
  {
    id: 'update/increment-wrong',
    title: 'increment of a field that is not a number, or by what is not of its type, is refused',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.create({ id: 1, name: 'a', whole: 1, big: 1n, real: 1, price: '1' })
      const changes = {
        name: increment(wrong('b')),
        whole: increment(0.5),
        big: increment(wrong(1)),
        real: increment(Number.NaN),
        price: increment('0.001'),
      }
      for (const [field, change] of Object.entries(changes)) {
        await refusedWhole(items, () => items.update(1, wrong({ [field]: change })), {
          code: 'VALIDATION',
          paths: [field],
        })
      }
    },
  },
  {
    id: 'update/hot-row',
    title: 'Of 32 increments of one row at once none is lost',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.create({ id: 1, whole: 0 })
      const seen = await Promise.all(Array.from({ length: 32 }, () => items.update(1, { whole: increment(1) })))
      assert.equal((await items.getById(1)).whole, 32)
      assert.deepEqual(
        pick(seen, 'whole').sort((left, right) => Number(left) - Number(right)),
        Array.from({ length: 32 }, (_, index) => index + 1),
      )
    },
  },
  {
    id: 'update/many',
    title: 'updateMany changes what matches and nothing else, and gives the number',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.createMany(Array.from({ length: 100 }, (_, id) => ({ id, whole: id % 10 })))
      assert.equal(await items.updateMany({ whole: { gte: 8 } }, { name: 'x', real: 1.5 }), 20)
      assert.equal(await items.count({ name: 'x', real: 1.5 }), 20)
      assert.equal(await items.updateMany({ whole: 99 }, { name: 'y' }), 0)
      assert.equal(await items.updateMany({}, { whole: increment(1) }), 100)
      assert.deepEqual(await items.aggregate({ select: {} as never, groupBy: { whole: 'whole' }, limit: 2 }), [
        { whole: 1 },
        { whole: 2 },
      ])
    },
  },
  {
    id: 'update/many-of-nothing',
    title: 'updateMany gives how many records match, also where the patch is empty; a version counts that as a write',
    async run({ open }) {
      const storage = await open(schema)
      const [items, counted, docs] = [
        storage.repository('items'),
        storage.repository('counted'),
        storage.repository('docs'),
      ]
      const numbers = [1, 2, 3]
      await items.createMany(numbers.map((id) => ({ id, whole: id })))
      await counted.createMany(numbers.map((id) => ({ id, whole: id })))
      await docs.createMany(numbers.map((n) => ({ n, m: n })))
      for (const patch of [{}, { whole: undefined }]) {
        assert.equal(await items.updateMany({ whole: { gt: 1 } }, patch), 2)
        assert.equal(await items.updateMany({}, patch), 3)
        assert.equal(await counted.updateMany({ whole: { gt: 1 } }, patch), 2)
      }
      assert.equal(await docs.updateMany({ n: { gt: 1 } }, {}), 2)
      assert.deepEqual(
        await items.find(),
        numbers.map((id) => ({ ...empty, id, whole: id })),
      )
      assert.deepEqual(pick(await counted.find(), 'version'), [1, 3, 3])
      assert.deepEqual(pick(await docs.find({ orderBy: { n: 'asc' } }), 'version'), [1, 2, 2])
      await refusedWhole(items, () => items.updateMany(wrong({ nobody: 1 }), {}), { code: 'VALIDATION' })
    },
  },
  {
    id: 'update/many-needs-a-condition',
    title: 'updateMany and deleteMany without a condition are refused, so that a forgotten one is not every record',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.create({ id: 1 })
      await refusedWhole(items, () => items.updateMany(wrong(undefined), { name: 'x' }), {
        code: 'VALIDATION',
        paths: ['where'],
      })
      await refusedWhole(items, () => items.deleteMany(wrong(undefined)), { code: 'VALIDATION', paths: ['where'] })
      await refusedWhole(items, () => items.deleteMany(wrong(null)), { code: 'VALIDATION', paths: ['where'] })
      await refusedWhole(items, () => items.deleteMany({ name: wrong(undefined) }), {
        code: 'VALIDATION',
        paths: ['where.name'],
      })
    },
  },
  {
    id: 'update/many-whole',
    title: 'updateMany changes all or none: one row that collides undoes the others',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.createMany(Array.from({ length: 50 }, (_, id) => ({ id, rank: id, whole: id })))
      await refusedWhole(items, () => items.updateMany({ id: { gte: 20 } }, { rank: 5 }), {
        code: 'CONFLICT_UNIQUE',
        model: 'items',
        fields: ['rank'],
      })
    },
  },
  {
    id: 'update/many-shift',
    title:
      'updateMany refuses to increment a unique field: whether values may move past each other is not left to luck',
    async run({ open }) {
      const storage = await open(schema)
      const items = storage.repository('items')
      await items.createMany([1, 2, 3].map((id) => ({ id, rank: id })))
      for (const field of ['rank', 'id'] as const) {
        await refusedWhole(items, () => items.updateMany({}, { [field]: increment(1) }), {
          code: 'VALIDATION',
          paths: [field],
        })
      }
      assert.equal((await items.update(3, { rank: increment(1), id: increment(1) })).rank, 4)
      const docs = storage.repository('docs')
      await docs.create({ n: 1, m: 1 })
      const refusedHere = { code: 'VALIDATION', paths: ['n'] } as const
      await refusedWhole(docs, () => docs.updateMany({}, { n: increment(1), m: increment(1) }), refusedHere)
      assert.equal(await docs.updateMany({}, { m: increment(1) }), 1)
    },
  },
  {
    id: 'update/refused',
    title: 'A patch names every field it refuses, and leaves the record as it was',
    async run({ open }) {
      const items = (await open(schema)).repository('items')
      await items.create({ id: 1, name: 'a' })
      await refusedWhole(items, () => items.update(1, wrong({ name: 5, nope: 1, id: null, whole: '5' })), {
        code: 'VALIDATION',
        paths: ['name', 'nope', 'id', 'whole'],
      })
      for (const patch of [null, undefined, 5, 'x', [], new Date()]) {
        await refusedWhole(items, () => items.update(1, wrong(patch)), { code: 'VALIDATION', paths: [''] })
        await refusedWhole(items, () => items.updateMany({}, wrong(patch)), { code: 'VALIDATION', paths: [''] })
      }
      for (const key of [null, undefined, '1', 1.5, { gt: 0 }, [1], Number.NaN]) {
        await refusedWhole(items, () => items.update(wrong(key), { name: 'x' }), { code: 'VALIDATION', paths: ['id'] })
        await refusedWhole(items, () => items.delete(wrong(key)), { code: 'VALIDATION', paths: ['id'] })
        await refused(() => items.findById(wrong(key)), { code: 'VALIDATION', paths: ['id'] })
      }
    },
  },
]
