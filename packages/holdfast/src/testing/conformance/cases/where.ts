import assert from 'node:assert/strict'
import { defineSchema, t, table, type Where } from '../../../schema/index.ts'
import { pick } from '../assertions.ts'
import type { ConformanceCase, ConformanceContext } from '../case.ts'

const schema = defineSchema({
  rows: table(
    {
      id: t.integer().primaryKey(),
      text: t.text().nullable(),
      int: t.integer().nullable(),
      big: t.bigint().nullable(),
      real: t.real().nullable(),
      price: t.decimal(10, 2).nullable(),
      flag: t.boolean().nullable(),
      at: t.timestamp().nullable(),
      day: t.date().nullable(),
      uuid: t.uuid().nullable(),
      bytes: t.bytes().nullable(),
      kind: t.enum(['z', 'm', 'a']).nullable(),
    },
    { indexes: ['int', ['text', 'int'], 'at'] },
  ),
})
type Row = NonNullable<(typeof schema.declarations.rows)['$row']>

/** Opens a table of these rows, and gives the function that finds ids. */
async function finder(
  { open }: ConformanceContext,
  rows: readonly Partial<Row>[],
): Promise<(where: Where<Row>) => Promise<number[]>> {
  const repository = (await open(schema)).repository('rows')
  await repository.createMany(rows.map((row, id) => ({ id, ...row })))
  return async (where) => {
    const ids = pick(await repository.find({ where }), 'id')
    assert.equal(await repository.count(where), ids.length)
    assert.equal(await repository.exists(where), ids.length > 0)
    return ids
  }
}

const uuid = (end: string): string => `00000000-0000-0000-0000-0000000000${end}`

export const whereCases: readonly ConformanceCase[] = [
  {
    id: 'where/comparisons',
    title:
      'Every type is compared by its own order: text by code point, decimals by value, false before true, bytes unsigned',
    async run(context) {
      const ordered: Partial<Row>[] = [
        {
          text: '',
          int: -5,
          big: -(2n ** 62n),
          real: -1.5,
          price: '-10',
          flag: false,
          at: new Date(-1),
          day: '0001-01-01',
          uuid: uuid('00'),
          bytes: new Uint8Array(),
          kind: 'a',
        },
        {
          text: 'Z',
          int: 0,
          big: 2n ** 53n,
          real: 0,
          price: '9',
          flag: true,
          at: new Date(0),
          day: '1999-12-31',
          uuid: uuid('0a'),
          bytes: new Uint8Array([1]),
          kind: 'm',
        },
        {
          text: 'a',
          int: 3,
          big: 2n ** 53n + 1n,
          real: 5e-324,
          price: '10',
          at: new Date(1),
          day: '2000-01-01',
          uuid: uuid('a0'),
          bytes: new Uint8Array([1, 0]),
          kind: 'z',
        },
        {
          text: 'a ',
          int: 20,
          big: 2n ** 62n,
          real: 1e9,
          price: '100',
          at: new Date(1e12),
          day: '9999-12-31',
          uuid: uuid('ff'),
          bytes: new Uint8Array([128]),
        },
        { text: 'é' },
        { text: '\uFB01' },
        { text: '\u{1F600}' },
      ]
      const find = await finder(context, ordered)
      for (const field of Object.keys(ordered[0] as object) as (keyof Row)[]) {
        const known = ordered.flatMap((row, id) => (row[field] === undefined ? [] : [id]))
        for (const id of known) {
          const value = ordered[id]?.[field]
          const where = (operator: string) => ({ [field]: { [operator]: value } }) as Where<Row>
          assert.deepEqual(await find(where('eq')), [id], `${field} eq`)
          assert.deepEqual(
            await find(where('lt')),
            known.filter((other) => other < id),
            `${field} lt`,
          )
          assert.deepEqual(
            await find(where('lte')),
            known.filter((other) => other <= id),
            `${field} lte`,
          )
          assert.deepEqual(
            await find(where('gt')),
            known.filter((other) => other > id),
            `${field} gt`,
          )
          assert.deepEqual(
            await find(where('gte')),
            known.filter((other) => other >= id),
            `${field} gte`,
          )
        }
      }
    },
  },
  {
    id: 'where/null',
    title: 'Null is found by null alone; ne, notIn and not are exact complements and so find nulls',
    async run(context) {
      const find = await finder(context, [{ int: null }, { int: 1 }, { int: 2 }])
      assert.deepEqual(await find({ int: null }), [0])
      assert.deepEqual(await find({ int: { eq: null } }), [0])
      assert.deepEqual(await find({ int: { ne: null } }), [1, 2])
      assert.deepEqual(await find({ int: { ne: 1 } }), [0, 2])
      assert.deepEqual(await find({ int: { in: [1, null] } }), [0, 1])
      assert.deepEqual(await find({ int: { in: [null] } }), [0])
      assert.deepEqual(await find({ int: { notIn: [1] } }), [0, 2])
      assert.deepEqual(await find({ int: { notIn: [1, null] } }), [2])
      assert.deepEqual(await find({ int: { lte: 1 } }), [1])
      assert.deepEqual(await find({ not: { int: { lte: 1 } } }), [0, 2])
      assert.deepEqual(await find({ not: { int: { gt: 1 } } }), [0, 1])
      assert.deepEqual(await find({ not: { not: { int: { gt: 1 } } } }), [2])
      assert.deepEqual(await find({ not: { text: { contains: 'x' } } }), [0, 1, 2])
      assert.deepEqual(await find({ not: { or: [{ int: { gt: 1 } }, { text: { startsWith: '' } }] } }), [0, 1])
      assert.deepEqual(await find({ not: { int: { gt: 0 }, text: 'x' } }), [0, 1, 2])
    },
  },
  {
    id: 'where/empty',
    title: 'An empty condition and an empty and match everything, an empty or and an empty list nothing',
    async run(context) {
      const find = await finder(context, [{ int: 1 }, {}])
      for (const all of [
        {},
        { and: [] },
        { and: [{}] },
        { or: [{}] },
        { not: { or: [] } },
        { int: { notIn: [] } },
        { or: [{ int: 9 }, {}] },
      ]) {
        assert.deepEqual(await find(all), [0, 1], JSON.stringify(all))
      }
      for (const none of [
        { or: [] },
        { not: {} },
        { int: { in: [] } },
        { and: [{ or: [] }, {}] },
        { not: { and: [] } },
      ]) {
        assert.deepEqual(await find(none), [], JSON.stringify(none))
      }
    },
  },
  {
    id: 'where/combined',
    title:
      'and, or and not combine as they are nested, 64 levels deep; all fields and operators of one object must hold',
    async run(context) {
      const find = await finder(
        context,
        Array.from({ length: 20 }, (_, int) => ({ int, flag: int % 2 === 0 })),
      )
      assert.deepEqual(await find({ int: { gt: 3, lt: 9, ne: 6 }, flag: true }), [4, 8])
      assert.deepEqual(await find({ or: [{ int: 1 }, { int: { gte: 18 }, flag: true }], not: { int: 18 } }), [1])
      assert.deepEqual(await find({ and: [{ or: [{ int: 1 }, { int: 2 }] }, { or: [{ int: 2 }, { int: 3 }] }] }), [2])
      let deep: Where<Row> = { int: 5 }
      for (let level = 0; level < 64; level++) deep = level % 2 === 0 ? { not: deep } : { and: [deep] }
      assert.deepEqual(await find(deep), [5])
      assert.deepEqual(
        await find({ or: Array.from({ length: 150 }, (_, int) => ({ int: int * 2 + 1 })) }),
        [1, 3, 5, 7, 9, 11, 13, 15, 17, 19],
      )
    },
  },
  {
    id: 'where/text',
    title: 'contains, startsWith and endsWith are literal and case-sensitive: no character means anything but itself',
    async run(context) {
      const texts = [
        '100%',
        '1000',
        'a_b',
        'axb',
        'A_B',
        'a\\b',
        'a*b',
        'a?b',
        '[ab]',
        "it's",
        'é',
        'e\u0301',
        '',
        '😀x',
        null,
      ]
      const find = await finder(
        context,
        texts.map((text) => ({ text })),
      )
      assert.deepEqual(await find({ text: { contains: '%' } }), [0])
      assert.deepEqual(await find({ text: { contains: '_' } }), [2, 4])
      assert.deepEqual(await find({ text: { startsWith: 'a_' } }), [2])
      assert.deepEqual(await find({ text: { endsWith: '_b' } }), [2])
      assert.deepEqual(await find({ text: { endsWith: 'B' } }), [4])
      assert.deepEqual(await find({ text: { contains: '\\' } }), [5])
      assert.deepEqual(await find({ text: { contains: '*' } }), [6])
      assert.deepEqual(await find({ text: { startsWith: 'a?' } }), [7])
      assert.deepEqual(await find({ text: { startsWith: '[ab' } }), [8])
      assert.deepEqual(await find({ text: { contains: "'" } }), [9])
      assert.deepEqual(await find({ text: { contains: 'é' } }), [10])
      assert.deepEqual(await find({ text: { startsWith: 'e' } }), [11])
      assert.deepEqual(await find({ text: { startsWith: '😀' } }), [13])
      assert.deepEqual(await find({ text: { endsWith: '100%' } }), [0])
      assert.deepEqual(await find({ text: { startsWith: '100% and more than there is' } }), [])
      for (const everything of [{ contains: '' }, { startsWith: '' }, { endsWith: '' }]) {
        assert.deepEqual(
          await find({ text: everything }),
          texts.flatMap((text, id) => (text === null ? [] : [id])),
        )
      }
    },
  },
  {
    id: 'where/starts-with-the-last-character',
    title: 'startsWith finds what begins with the last characters of Unicode',
    async run(context) {
      const find = await finder(
        context,
        ['\u{10FFFF}', '\u{10FFFF}a', '\u{10FFFF}\u{10FFFF}', 'a\u{10FFFF}b', '\uD7FFx', '\uE000x'].map((text) => ({
          text,
        })),
      )
      assert.deepEqual(await find({ text: { startsWith: '\u{10FFFF}' } }), [0, 1, 2])
      assert.deepEqual(await find({ text: { startsWith: 'a\u{10FFFF}' } }), [3])
      assert.deepEqual(await find({ text: { startsWith: '\uD7FF' } }), [4])
    },
  },
  {
    id: 'where/enum-text',
    title: 'An enum is text in conditions: by code point, not by the order of its values',
    async run(context) {
      const find = await finder(context, [{ kind: 'z' }, { kind: 'm' }, { kind: 'a' }, {}])
      assert.deepEqual(await find({ kind: { gt: 'a' } }), [0, 1])
      assert.deepEqual(await find({ kind: { in: ['a', 'z'] } }), [0, 2])
      assert.deepEqual(await find({ kind: { startsWith: 'm' } }), [1])
    },
  },
  {
    id: 'where/long-lists',
    title: 'A list in a condition may be long and hold a value twice: 40,000 keys find each record once',
    async run(context) {
      const find = await finder(
        context,
        Array.from({ length: 300 }, (_, int) => ({ int, text: `t${int}` })),
      )
      const many = Array.from({ length: 40_000 }, (_, index) => (index * 13) % 20_000)
      assert.equal((await find({ int: { in: many } })).length, 300)
      assert.deepEqual(await find({ int: { notIn: many } }), [])
      assert.deepEqual(await find({ text: { in: ['t5', 't5', 't7', 'T9'] } }), [5, 7])
      for (let length = 0; length < 20; length++) {
        assert.equal((await find({ int: { in: many.slice(0, length).map((value) => value % 300) } })).length, length)
      }
    },
  },
  {
    id: 'where/many-alternatives',
    title: 'A condition may hold 2,000 alternatives, and as many exceptions',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(Array.from({ length: 50 }, (_, id) => ({ id, int: id, text: `t${id}` })))
      const many = Array.from({ length: 2_000 }, (_, at) => ({ int: at * 10, text: `t${at * 10}` }))
      assert.deepEqual(pick(await rows.find({ where: { or: many } }), 'id'), [0, 10, 20, 30, 40])
      const exceptions = { and: many.map((one) => ({ not: one })), int: { lt: 3 } }
      assert.deepEqual(pick(await rows.find({ where: exceptions }), 'id'), [1, 2])
    },
  },
  {
    id: 'where/values-are-values',
    title: 'A value in a condition is never read as SQL, a pattern or a column',
    async run(context) {
      const texts = ["' or 1=1 --", 'text', '$1', ':x', '?', 'null', '"text"', '\\', '%', "x'; drop table rows; --"]
      const find = await finder(
        context,
        texts.map((text) => ({ text })),
      )
      for (const [id, text] of texts.entries()) {
        assert.deepEqual(await find({ text }), [id])
        assert.deepEqual(await find({ text: { in: [text] } }), [id])
        assert.deepEqual(await find({ text: { startsWith: text } }), [id])
      }
    },
  },
]
