import assert from 'node:assert/strict'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  rows: table(
    {
      id: t.integer().primaryKey(),
      text: t.text().nullable(),
      int: t.integer().nullable(),
      price: t.decimal(10, 2).nullable(),
      flag: t.boolean().nullable(),
      bytes: t.bytes().nullable(),
    },
    { indexes: ['int', ['text', 'int']] },
  ),
})

export const orderCases: readonly ConformanceCase[] = [
  {
    id: 'order/null',
    title: 'Null comes first ascending and last descending, whatever the type and the index',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, int: 2, text: 'b', price: '9', flag: true, bytes: new Uint8Array([2]) },
        { id: 2 },
        { id: 3, int: 1, text: 'a', price: '-10', flag: false, bytes: new Uint8Array([1, 9]) },
      ])
      for (const name of ['int', 'text', 'price', 'flag', 'bytes'] as const) {
        assert.deepEqual(pick(await rows.find({ orderBy: wrong({ [name]: 'asc' }) }), 'id'), [2, 3, 1], name)
        assert.deepEqual(pick(await rows.find({ orderBy: wrong({ [name]: 'desc' }) }), 'id'), [1, 3, 2], name)
      }
    },
  },
  {
    id: 'order/text',
    title: 'Text orders by code point: capitals before small letters, accents after, emoji last',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const ordered = [
        '',
        ' ',
        '!',
        '10',
        '9',
        'A',
        'Z',
        '_',
        'a',
        'a ',
        'aa',
        'b',
        'z',
        'ä',
        'é',
        '\u0416',
        '名',
        '\uE000',
        '\uFB01',
        '\uFFFF',
        '\u{10000}',
        '\u{1F600}',
        '\u{10FFFF}',
      ]
      await rows.createMany(ordered.map((text, index) => ({ id: (index * 5) % ordered.length, text })))
      assert.deepEqual(pick(await rows.find({ orderBy: { text: 'asc' } }), 'text'), ordered)
      assert.deepEqual(pick(await rows.find({ orderBy: { text: 'desc' } }), 'text'), ordered.toReversed())
    },
  },
  {
    id: 'order/ties',
    title: 'Without an ordering records come by their key, and ties are broken by it',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const ids = Array.from({ length: 200 }, (_, index) => (index * 37) % 200)
      await rows.createMany(ids.map((id) => ({ id, int: id % 3, text: 'same' })))
      await rows.updateMany({ id: { lt: 50 } }, { text: 'same' })
      const sorted = ids.toSorted((left, right) => left - right)
      assert.deepEqual(pick(await rows.find(), 'id'), sorted)
      assert.deepEqual(pick(await rows.find({ where: { text: 'same' } }), 'id'), sorted)
      assert.deepEqual(pick(await rows.find({ orderBy: { text: 'desc' } }), 'id'), sorted)
      const byRest = sorted.toSorted((left, right) => (right % 3) - (left % 3) || left - right)
      assert.deepEqual(pick(await rows.find({ orderBy: { int: 'desc' } }), 'id'), byRest)
    },
  },
  {
    id: 'order/several',
    title: 'Several orderings count in turn, each in its own direction; one named twice counts once',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, text: 'a', int: 1 },
        { id: 2, text: 'b', int: null },
        { id: 3, text: 'a', int: null },
        { id: 4, text: 'b', int: 2 },
        { id: 5, text: null, int: 2 },
      ])
      assert.deepEqual(pick(await rows.find({ orderBy: [{ text: 'asc' }, { int: 'desc' }] }), 'id'), [5, 1, 3, 4, 2])
      assert.deepEqual(pick(await rows.find({ orderBy: { text: 'desc', int: 'asc' } }), 'id'), [2, 4, 3, 1, 5])
      assert.deepEqual(pick(await rows.find({ orderBy: [{ int: 'desc' }, { id: 'desc' }] }), 'id'), [5, 4, 1, 3, 2])
      assert.deepEqual(pick(await rows.find({ orderBy: [{ text: 'asc' }, { text: 'desc' }] }), 'id'), [5, 1, 3, 2, 4])
      assert.deepEqual(pick(await rows.find({ orderBy: [] }), 'id'), [1, 2, 3, 4, 5])
    },
  },
  {
    id: 'order/limit',
    title: 'limit and offset cut after the ordering; each works without the other, and past the end',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(Array.from({ length: 10 }, (_, id) => ({ id, int: -id })))
      const ids = async (query: object): Promise<number[]> =>
        pick(await rows.find({ orderBy: { int: 'asc' }, ...query }), 'id')
      assert.deepEqual(await ids({ limit: 2 }), [9, 8])
      assert.deepEqual(await ids({ offset: 8 }), [1, 0])
      assert.deepEqual(await ids({ limit: 2, offset: 3 }), [6, 5])
      assert.deepEqual(await ids({ limit: 0 }), [])
      assert.deepEqual(await ids({ limit: 5, offset: 100 }), [])
      assert.deepEqual(await ids({ limit: Number.MAX_SAFE_INTEGER, offset: 9 }), [0])
      assert.deepEqual(await ids({ limit: undefined, offset: undefined, where: { id: 1 } }), [1])
    },
  },
  {
    id: 'order/refused',
    title: 'An invalid ordering, limit or offset is refused, naming it',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const bad: readonly (readonly [object, string])[] = [
        [{ orderBy: { nope: 'asc' } }, 'orderBy.nope'],
        [{ orderBy: { int: 'up' } }, 'orderBy.int'],
        [{ orderBy: { int: 'ASC' } }, 'orderBy.int'],
        [{ orderBy: { int: undefined } }, 'orderBy.int'],
        [{ orderBy: 'int' }, 'orderBy'],
        [{ orderBy: ['int'] }, 'orderBy'],
        [{ orderBy: [null] }, 'orderBy'],
        [{ orderBy: { 'int; drop table rows': 'asc' } }, 'orderBy.int; drop table rows'],
        [{ limit: -1 }, 'limit'],
        [{ limit: 1.5 }, 'limit'],
        [{ limit: '1' }, 'limit'],
        [{ limit: null }, 'limit'],
        [{ limit: Number.POSITIVE_INFINITY }, 'limit'],
        [{ limit: 2 ** 53 }, 'limit'],
        [{ offset: Number.NaN }, 'offset'],
        [{ offset: 1n }, 'offset'],
        [{ take: 5 }, 'take'],
        [{ select: 'int' }, 'select'],
        [{ select: ['nope'] }, 'select'],
        [{ select: [null] }, 'select'],
      ]
      for (const [query, path] of bad) {
        await refused(() => rows.find(wrong(query)), { code: 'VALIDATION', paths: [path] })
        await refused(
          async () => {
            for await (const _ of rows.stream(wrong(query))) break
          },
          { code: 'VALIDATION', paths: [path] },
        )
      }
      for (const query of [null, 5, 'x', [], new Date()])
        await refused(() => rows.find(wrong(query)), { code: 'VALIDATION', paths: [''] })
    },
  },
  {
    id: 'select/fields',
    title: 'select gives the fields it names and no others; none of them gives empty records',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, text: 'b' },
        { id: 2, text: 'a' },
      ])
      assert.deepEqual(await rows.find({ select: ['text'] }), [{ text: 'b' }, { text: 'a' }])
      assert.deepEqual(await rows.find({ select: ['text', 'text'], orderBy: { text: 'asc' } }), [
        { text: 'a' },
        { text: 'b' },
      ])
      assert.deepEqual(await rows.find({ select: ['int'], orderBy: { text: 'asc' }, where: { text: 'a' } }), [
        { int: null },
      ])
      assert.deepEqual(await rows.findOne({ where: { id: 2 }, select: ['id', 'text'] }), { id: 2, text: 'a' })
      assert.deepEqual(await rows.find({ select: [] }), [{}, {}])
    },
  },
  {
    id: 'find/by-keys',
    title: 'findByIds gives records in the order of the keys, missing ones left out and repeated ones once',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([1, 2, 3, 4].map((id) => ({ id })))
      assert.deepEqual(pick(await rows.findByIds([3, 9, 1, 3, 2]), 'id'), [3, 1, 2])
      assert.deepEqual(await rows.findByIds([]), [])
      await refused(() => rows.findByIds(wrong(['1'])), { code: 'VALIDATION', paths: ['id'] })
      await refused(() => rows.findByIds(wrong(5)), { code: 'VALIDATION', paths: ['keys'] })
    },
  },
  {
    id: 'find/one',
    title: 'findOne gives the first by its ordering or null, and wants a condition or an ordering',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, int: 1 },
        { id: 2, int: 2 },
      ])
      assert.equal((await rows.findOne({ where: {}, orderBy: { int: 'desc' } }))?.id, 2)
      assert.equal((await rows.findOne({ orderBy: { int: 'desc' } }))?.id, 2)
      assert.equal(await rows.findOne({ where: { int: 9 } }), null)
      for (const query of [undefined, null]) {
        await refused(() => rows.findOne(wrong(query)), { code: 'VALIDATION', paths: [''] })
      }
      for (const query of [{}, { where: undefined }, { where: undefined, orderBy: { int: 'desc' } }]) {
        await refused(() => rows.findOne(wrong(query)), { code: 'VALIDATION', paths: ['where'] })
      }
      await refused(() => rows.getById(9), { code: 'NOT_FOUND', model: 'rows' })
      assert.equal(await rows.exists(1), true)
      assert.equal(await rows.exists(9), false)
      assert.equal(await rows.exists({ int: { gt: 1 } }), true)
      assert.equal(await rows.count(), 2)
    },
  },
]
