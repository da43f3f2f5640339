import assert from 'node:assert/strict'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import type { Storage } from '../../../storage/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase, ConformanceContext } from '../case.ts'

const schema = defineSchema({
  rows: table({
    id: t.integer().primaryKey(),
    text: t.text().nullable(),
    int: t.integer().nullable(),
    big: t.bigint().nullable(),
    real: t.real().nullable(),
    price: t.decimal(5, 2).nullable(),
    flag: t.boolean().nullable(),
    at: t.timestamp().nullable(),
    day: t.date().nullable(),
    uuid: t.uuid().nullable(),
    bytes: t.bytes().nullable(),
    kind: t.enum(['a', 'b']).nullable(),
    data: t.json<unknown>().nullable(),
  }),
  docs: documents<Record<string, unknown>>(),
})
type S = typeof schema

const proto = JSON.parse('{"__proto__": 1}') as object

/** What no column of each type takes. */
const bad: Readonly<Record<string, readonly unknown[]>> = {
  text: [
    5,
    true,
    ['a'],
    { a: 1 },
    new Date(),
    1n,
    'a\0b',
    '\0',
    '\ud800',
    'a\udfff',
    '\udc00\ud800',
    Symbol('x'),
    () => 'a',
    new String('a'),
  ],
  int: [
    '1',
    1.5,
    2 ** 53,
    -(2 ** 53),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    true,
    [1],
    new Number(1),
    { valueOf: 1 },
  ],
  big: [1, '1', 2n ** 63n, -(2n ** 63n) - 1n, 1.5, true],
  real: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '1', 1n, [1]],
  price: [1, 1.5, 'x', '', '1e2', '1000', '1.001', ' 1', '1.', '.5', '--1', 'NaN', 'Infinity', '1,5', '٣'],
  flag: [0, 1, 'true', 'false', [], {}],
  at: [0, '2024-01-01', new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15), new Date(253_402_300_800_000)],
  day: [
    '2023-02-29',
    '2024-13-01',
    '2024-1-1',
    '0000-01-01',
    '10000-01-01',
    '2024-01-01T00:00:00Z',
    '2024-01-32',
    'today',
    '',
    new Date(),
    20240101,
  ],
  uuid: [
    '',
    'x',
    '0190f5c3-0000-7000-8000-00000000000',
    '0190f5c3000070008000000000000000',
    '{0190f5c3-0000-7000-8000-000000000000}',
    5,
  ],
  bytes: ['abc', [1, 2], new ArrayBuffer(2), { length: 1 }, 5, new Uint16Array(2), new DataView(new ArrayBuffer(1))],
  kind: ['c', 'A', '', 'a ', 0, ['a']],
}

/** A value that each of these columns takes. */
const good: Readonly<Record<string, unknown>> = {
  text: 'a',
  int: 1,
  big: 1n,
  real: 1.5,
  price: '1.5',
  flag: true,
  at: new Date(0),
  day: '2024-01-01',
  uuid: '0190f5c3-0000-7000-8000-000000000000',
  bytes: new Uint8Array(),
  kind: 'a',
}

const badJson: readonly unknown[] = [
  { a: 'x\0' },
  { 'x\0': 1 },
  ['\ud800'],
  { '\udfff': 1 },
  { a: [{ b: Number.NaN }] },
  { a: Number.NEGATIVE_INFINITY },
  { a: 1n },
  { a: new Date(0) },
  { a: new Map() },
  { a: new (class Own {})() },
  { a: () => 1 },
  { a: Symbol('x') },
  proto,
  { a: proto },
]

/** Asserts that a call is refused for this path before anything reaches the database, and that nothing is changed. */
async function refusedAt(storage: Storage<S>, path: string, call: () => unknown): Promise<void> {
  const before = storage.metrics().statements
  await refused(call, { code: 'VALIDATION', paths: [path] })
  assert.equal(storage.metrics().statements, before, 'a statement was sent')
}

async function opened({ open }: ConformanceContext): Promise<Storage<S>> {
  const storage = await open(schema)
  await storage.repository('rows').create({ id: 1, text: 'whole', data: { a: 1 } })
  await storage.repository('docs').create({ id: 'a', text: 'whole' })
  return storage
}

async function assertWhole(storage: Storage<S>): Promise<void> {
  const [row, ...others] = await storage.repository('rows').find()
  assert.deepEqual([row?.text, row?.data, others], ['whole', { a: 1 }, []])
  const docs = await storage.repository('docs').find()
  assert.deepEqual(
    docs.map(({ id, version, text }) => [id, version, text]),
    [['a', 1, 'whole']],
  )
}

export const inputCases: readonly ConformanceCase[] = [
  ...Object.entries(bad).map(
    ([name, values]): ConformanceCase => ({
      id: `input/${name}`,
      title: `What is not a value of a column (${name}) is refused by every call that takes one, before anything is sent`,
      async run(context) {
        const storage = await opened(context)
        const rows = storage.repository('rows')
        for (const value of values) {
          const given = wrong({ [name]: value })
          await refusedAt(storage, name, () => rows.create({ id: 2, ...(given as object) }))
          await refusedAt(storage, `1.${name}`, () => rows.createMany([{ id: 2 }, { id: 3, ...(given as object) }]))
          await refusedAt(storage, name, () => rows.update(1, given))
          await refusedAt(storage, name, () => rows.updateMany({}, given))
          await refusedAt(storage, name, () => rows.upsert({ id: 1, ...(given as object) }))
          await refusedAt(storage, `update.${name}`, () => rows.upsert({ id: 1 }, { update: given }))
          await refusedAt(storage, `where.${name}.eq`, () => rows.find({ where: wrong({ [name]: { eq: value } }) }))
          await refusedAt(storage, `where.${name}.gt`, () => rows.count(wrong({ [name]: { gt: value } })))
          await refusedAt(storage, `where.${name}.in.1`, () =>
            rows.deleteMany(wrong({ [name]: { in: [good[name], value] } })),
          )
        }
        await assertWhole(storage)
      },
    }),
  ),
  {
    id: 'input/json',
    title: 'What JSON cannot hold, or would change silently, is refused in a JSON column and in a document',
    async run(context) {
      const storage = await opened(context)
      for (const value of badJson) {
        for (const call of [
          () => storage.repository('rows').create({ id: 2, data: value }),
          () => storage.repository('rows').update(1, { data: value }),
          () => storage.repository('rows').upsert({ id: 1, data: value }),
          () => storage.repository('docs').create({ inner: value }),
          () => storage.repository('docs').update('a', { inner: value }),
        ]) {
          const before = storage.metrics().statements
          await refused(call, 'VALIDATION')
          assert.equal(storage.metrics().statements, before, 'a statement was sent')
        }
      }
      for (const value of badJson) {
        await refused(() => storage.repository('docs').upsert({ id: 'a', inner: value }), 'VALIDATION')
      }
      await refused(() => storage.repository('docs').create(wrong(proto)), { code: 'VALIDATION', paths: ['__proto__'] })
      await assertWhole(storage)
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    },
  },
  {
    id: 'input/null',
    title: 'Null where none is allowed is refused and says how to allow it',
    async run({ open }) {
      const strict = defineSchema({
        rows: table({ id: t.integer().primaryKey(), text: t.text(), data: t.json<unknown>() }),
      })
      const storage = await open(strict)
      const rows = storage.repository('rows')
      await rows.create({ id: 1, text: 'a', data: 1 })
      for (const name of ['id', 'text', 'data']) {
        const error = await refused(() => rows.create(wrong({ id: 2, text: 'b', data: 1, [name]: null })), {
          code: 'VALIDATION',
          paths: [name],
        })
        assert.match(error.message, /nullable/)
        await refused(() => rows.update(1, wrong({ [name]: null })), { code: 'VALIDATION', paths: [name] })
      }
      assert.deepEqual(await rows.find(), [{ id: 1, text: 'a', data: 1 }])
    },
  },
  {
    id: 'input/names',
    title: 'Unknown fields, operators and parts of a query are refused by their names, in every call',
    async run(context) {
      const storage = await opened(context)
      const rows = storage.repository('rows')
      for (const name of ['nope', 'ID', 'id ', 'id;--', '"id"', '', '😀', '$where', 'text.x', '__proto__']) {
        const own = JSON.parse(`{${JSON.stringify(name)}: 1}`) as object
        await refusedAt(storage, name, () => rows.create(wrong({ id: 2, ...own })))
        await refusedAt(storage, name, () => rows.update(1, wrong(own)))
        await refusedAt(storage, name, () => rows.updateMany({}, wrong(own)))
        await refusedAt(storage, `update.${name}`, () => rows.upsert({ id: 1 }, { update: wrong(own) }))
        await refusedAt(storage, `where.${name}`, () => rows.find({ where: wrong(own) }))
        await refusedAt(storage, `where.${name}`, () => rows.updateMany(wrong(own), { int: 1 }))
        await refusedAt(storage, `where.not.or.0.${name}`, () => rows.deleteMany(wrong({ not: { or: [own] } })))
        await refusedAt(storage, `orderBy.${name}`, () => rows.find({ orderBy: wrong(own) }))
      }
      for (const operator of ['like', '$gt', 'GT', 'equals', '', '__proto__', 'constructor', '= 1 or 1=1']) {
        const filter = JSON.parse(`{"int": {${JSON.stringify(operator)}: 1}}`) as object
        await refusedAt(storage, `where.int.${operator}`, () => rows.find({ where: wrong(filter) }))
        await refusedAt(storage, `where.int.${operator}`, () => rows.deleteMany(wrong(filter)))
      }
      await assertWhole(storage)
    },
  },
  {
    id: 'input/conditions',
    title: 'An invalid condition is refused: undefined, lists, operators where a value is due, and what nests too deep',
    async run(context) {
      const storage = await opened(context)
      const rows = storage.repository('rows')
      let deep: object = { int: 1 }
      for (let level = 0; level < 5_000; level++) deep = level % 2 === 0 ? { not: deep } : { and: [deep] }
      const conditions: readonly (readonly [unknown, string])[] = [
        [null, 'where'],
        ['id = 1', 'where'],
        [5, 'where'],
        [[{ id: 1 }], 'where'],
        [new Date(), 'where'],
        [{ int: undefined }, 'where.int'],
        [{ int: { gt: undefined } }, 'where.int.gt'],
        [{ int: { gt: null } }, 'where.int.gt'],
        [{ int: {} }, 'where.int'],
        [{ int: [1] }, 'where.int'],
        [{ int: { eq: { gt: 0 } } }, 'where.int.eq'],
        [{ int: { in: 1 } }, 'where.int.in'],
        [{ int: { in: null } }, 'where.int.in'],
        [{ int: { in: [[1]] } }, 'where.int.in.0'],
        [{ int: { in: [1, undefined] } }, 'where.int.in.1'],
        [{ int: { contains: '1' } }, 'where.int.contains'],
        [{ text: { contains: 1 } }, 'where.text.contains'],
        [{ text: { startsWith: null } }, 'where.text.startsWith'],
        [{ text: { endsWith: 'a\0' } }, 'where.text.endsWith'],
        [{ text: { contains: '\ud800' } }, 'where.text.contains'],
        [{ text: { has: 'a' } }, 'where.text.has'],
        [{ or: { int: 1 } }, 'where.or'],
        [{ and: [null] }, 'where.and.0'],
        [{ not: [] }, 'where.not'],
        [deep, 'where'],
      ]
      for (const [where, path] of conditions) {
        await refusedAt(storage, path, () => rows.find({ where: wrong(where) }))
        await refusedAt(storage, path, () => rows.deleteMany(wrong(where)))
        await refusedAt(storage, path, () => rows.count(wrong(where)))
      }
      await assertWhole(storage)
    },
  },
  {
    id: 'input/keys-of-text',
    title: 'A key that is not text, or text that cannot be stored, is refused wherever a key is taken',
    async run(context) {
      const storage = await opened(context)
      const docs = storage.repository('docs')
      for (const key of [null, undefined, 5, {}, { gt: '' }, { ne: null }, ['a'], 'a\0', '\ud800', Symbol('a')]) {
        await refusedAt(storage, 'id', () => docs.findById(wrong(key)))
        await refusedAt(storage, 'id', () => docs.getById(wrong(key)))
        await refusedAt(storage, 'id', () => docs.findByIds([wrong(key)]))
        await refusedAt(storage, 'id', () => docs.update(wrong(key), { a: 1 }))
        await refusedAt(storage, 'id', () => docs.delete(wrong(key)))
      }
      for (const key of ['', ' ', "'; drop table docs; --", '%', '__proto__', '😀', 'x'.repeat(1_000)]) {
        assert.equal(await docs.findById(key), null)
        const { id } = await docs.create({ id: key, n: 1 })
        assert.equal((await docs.getById(key)).id, id)
        assert.equal(await docs.delete(key), true)
      }
      await assertWhole(storage)
    },
  },
  {
    id: 'input/errors-are-short',
    title: 'An error about a long value does not repeat it',
    async run(context) {
      const storage = await opened(context)
      const long = `secret-${'x'.repeat(1_000_000)}`
      for (const call of [
        () => storage.repository('rows').create({ id: wrong(long) }),
        () => storage.repository('rows').find({ where: { int: wrong(long) } }),
        () => storage.repository('rows').update(1, { kind: wrong(long) }),
        () => storage.repository('docs').create({ a: { b: [long, Number.NaN] } }),
      ]) {
        const error = await refused(call, 'VALIDATION')
        assert.ok(error.message.length < 500, `${error.message.length} characters`)
      }
    },
  },
]
