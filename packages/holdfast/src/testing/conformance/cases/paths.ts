import assert from 'node:assert/strict'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase, ConformanceContext } from '../case.ts'

const schema = defineSchema({
  rows: table(
    { id: t.integer().primaryKey(), data: t.json<unknown>().nullable() },
    { indexes: ['data.x', 'data.owner.team'] },
  ),
})

/** Opens a table of these values, and gives the function that finds ids. */
async function finder(
  { open }: ConformanceContext,
  values: readonly unknown[],
): Promise<(where: object) => Promise<number[]>> {
  const rows = (await open(schema)).repository('rows')
  await rows.createMany(values.map((data, id) => ({ id, data })))
  return async (where) => pick(await rows.find({ where: where as never }), 'id')
}

/** What stands at `data.x`, in the order of the rules. */
const RANKED = [
  null,
  { y: 1 },
  { x: null },
  { x: false },
  { x: true },
  { x: -2 },
  { x: 0.5 },
  { x: 10 },
  { x: '' },
  { x: '10' },
  { x: 'Z' },
  { x: 'a' },
  { x: '\uFB01' },
  { x: '\u{1F600}' },
  { x: [1] },
  { x: { z: 1 } },
]
const everything = RANKED.map((_, id) => id)

export const pathCases: readonly ConformanceCase[] = [
  {
    id: 'paths/one-type',
    title: 'A comparison at a JSON path speaks of one type: a number never finds a text, true is not 1',
    async run(context) {
      const find = await finder(context, RANKED)
      assert.deepEqual(await find({ 'data.x': 10 }), [7])
      assert.deepEqual(await find({ 'data.x': '10' }), [9])
      assert.deepEqual(await find({ 'data.x': true }), [4])
      assert.deepEqual(await find({ 'data.x': 1 }), [])
      assert.deepEqual(await find({ 'data.x': { gt: 0 } }), [6, 7])
      assert.deepEqual(await find({ 'data.x': { gte: '' } }), [8, 9, 10, 11, 12, 13])
      assert.deepEqual(await find({ 'data.x': { gt: 'Z' } }), [11, 12, 13])
      assert.deepEqual(await find({ 'data.x': { gt: '\uFB01' } }), [13])
      assert.deepEqual(await find({ 'data.x': { lt: true } }), [3])
      assert.deepEqual(await find({ 'data.x': { gte: false, lte: true } }), [3, 4])
      assert.deepEqual(await find({ 'data.x': { gt: -100, lt: 'zzz' } }), [])
    },
  },
  {
    id: 'paths/null',
    title: 'At a JSON path null finds what is null and what is not there; complements are exact',
    async run(context) {
      const find = await finder(context, RANKED)
      assert.deepEqual(await find({ 'data.x': null }), [0, 1, 2])
      assert.deepEqual(await find({ 'data.x': { ne: null } }), everything.slice(3))
      assert.deepEqual(
        await find({ 'data.x': { ne: 10 } }),
        everything.filter((id) => id !== 7),
      )
      assert.deepEqual(
        await find({ not: { 'data.x': { gt: 0 } } }),
        everything.filter((id) => id !== 6 && id !== 7),
      )
      assert.deepEqual(await find({ 'data.x.z': null }), everything.slice(0, -1))
      assert.deepEqual(await find({ data: null }), [0])
    },
  },
  {
    id: 'paths/lists',
    title: 'A list of values at a JSON path may mix types and null',
    async run(context) {
      const find = await finder(context, RANKED)
      assert.deepEqual(await find({ 'data.x': { in: [10, '10', true, 'nope'] } }), [4, 7, 9])
      assert.deepEqual(await find({ 'data.x': { in: [null, false] } }), [0, 1, 2, 3])
      assert.deepEqual(
        await find({ 'data.x': { notIn: [null, 10, ''] } }),
        everything.slice(3).filter((id) => id !== 7 && id !== 8),
      )
      assert.deepEqual(await find({ 'data.x': { in: [] } }), [])
      // Asked of two paths in turn: of the values that each list leaves, none says which path it was.
      assert.deepEqual(await find({ 'data.x': { notIn: [null] } }), everything.slice(3))
      assert.deepEqual(await find({ 'data.y': { notIn: [null] } }), [1])
      assert.deepEqual(await find({ 'data.y': { in: [null] } }), [0, ...everything.slice(2)])
    },
  },
  {
    id: 'paths/order',
    title: 'What stands at a JSON path orders by its type first: null, booleans, numbers, texts, the rest',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const shuffled = everything.map((id) => (id * 7) % RANKED.length)
      await rows.createMany(shuffled.map((id) => ({ id, data: RANKED[id] })))
      const ascending = pick(await rows.find({ orderBy: { 'data.x': 'asc' } }), 'id')
      assert.deepEqual(ascending, everything)
      const descending = pick(await rows.find({ orderBy: [{ 'data.x': 'desc' }, { id: 'asc' }] }), 'id')
      assert.deepEqual(descending, [14, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 0, 1, 2])
    },
  },
  {
    id: 'paths/text',
    title: 'contains and its like match texts at a JSON path, letter for letter, and nothing that is not text',
    async run(context) {
      const find = await finder(context, [
        { x: '100%' },
        { x: 100 },
        { x: ['100'] },
        { x: { y: '100' } },
        { x: 'a_c' },
        { x: 'abc' },
        { x: true },
        { x: 'say "100"' },
      ])
      assert.deepEqual(await find({ 'data.x': { startsWith: '100' } }), [0])
      assert.deepEqual(await find({ 'data.x': { contains: '100' } }), [0, 7])
      assert.deepEqual(await find({ 'data.x': { endsWith: '_c' } }), [4])
      assert.deepEqual(await find({ 'data.x': { endsWith: '"' } }), [7])
      assert.deepEqual(await find({ 'data.x': { contains: 'true' } }), [])
    },
  },
  {
    id: 'paths/literal-steps',
    title: 'A step of a path is the name of a member, whatever characters it holds, and never a position or a pattern',
    async run(context) {
      const names = [
        "it's",
        'say "x"',
        'back\\slash',
        '[0]',
        '*',
        '**',
        '?',
        '$',
        '@',
        '#',
        ';',
        ' ',
        '-1',
        '0',
        '😀',
        'é',
        '{a}',
        'a,b',
        '',
        'x\ny',
        '%',
      ]
      const find = await finder(context, [
        ...names.map((name) => ({ [name]: 'here' })),
        ['here'],
        'here',
        { '0': ['here'] },
      ])
      for (const [id, name] of names.entries()) {
        if (name === '') continue
        assert.deepEqual(await find({ [`data.${name}`]: 'here' }), [id], name)
        assert.deepEqual(await find({ [`data.${name}.${name}`]: 'here' }), [], name)
      }
      assert.deepEqual(await find({ 'data.length': 1 }), [])
      assert.deepEqual(await find({ 'data.0.0': 'here' }), [])
    },
  },
  {
    id: 'paths/inherited',
    title: 'A path sees only what the document itself holds, not what every object inherits',
    async run(context) {
      const find = await finder(context, [{}, { constructor: { name: 'Object' } }, { x: 'text' }])
      assert.deepEqual(await find({ 'data.constructor.name': 'Object' }), [1])
      assert.deepEqual(await find({ 'data.toString': null }), [0, 1, 2])
      assert.deepEqual(await find({ 'data.x.length': 4 }), [])
    },
  },
  {
    id: 'paths/has',
    title: 'has finds a text, a number or a boolean in a list: whole, of its type, not deeper, not in objects',
    async run(context) {
      const lists = [
        ['a', 'b'],
        ['ab'],
        [1, 2],
        ['1'],
        [true],
        [['a']],
        [{ a: 'a' }],
        { a: 'a' },
        'a',
        [],
        null,
        ["it's", '"x"', '%', '😀'],
        [null, 1.5],
        [1e21],
      ]
      const find = await finder(context, [...lists, ...lists.map((x) => ({ x }))])
      const expectations: readonly (readonly [string | number | boolean, readonly number[]])[] = [
        ['a', [0]],
        ['ab', [1]],
        [1, [2]],
        ['1', [3]],
        [true, [4]],
        [false, []],
        ["it's", [11]],
        ['"x"', [11]],
        ['%', [11]],
        ['😀', [11]],
        [1.5, [12]],
        [1e21, [13]],
        ['null', []],
      ]
      for (const [value, ids] of expectations) {
        assert.deepEqual(await find({ data: { has: value } }), ids, String(value))
        assert.deepEqual(
          await find({ 'data.x': { has: value } }),
          ids.map((id) => id + lists.length),
          `x ${value}`,
        )
      }
      assert.deepEqual(await find({ not: { data: { has: 'a' } }, id: { lt: 3 } }), [1, 2])
    },
  },
  {
    id: 'paths/numbers',
    title: 'Numbers at a JSON path are equal by value, however they are written or stored',
    async run(context) {
      const find = await finder(context, [
        { x: 1 },
        { x: 1.0 },
        { x: 1 },
        { x: 0 },
        { x: -0 },
        { x: 2 ** 53 - 1 },
        { x: 0.1 + 0.2 },
        { x: 1e300 },
        { x: 123456789012345680000 },
      ])
      assert.deepEqual(await find({ 'data.x': 1 }), [0, 1, 2])
      assert.deepEqual(await find({ 'data.x': -0 }), [3, 4])
      assert.deepEqual(await find({ 'data.x': 2 ** 53 - 1 }), [5])
      assert.deepEqual(await find({ 'data.x': 0.1 + 0.2 }), [6])
      assert.deepEqual(await find({ 'data.x': 0.3 }), [])
      assert.deepEqual(await find({ 'data.x': { gte: 1e300 } }), [7])
      assert.deepEqual(await find({ 'data.x': 123456789012345680000 }), [8])
      assert.deepEqual(await find({ 'data.x': { in: [1e300, 0.1 + 0.2, 1] } }), [0, 1, 2, 6, 7])
    },
  },
  {
    id: 'paths/selected',
    title:
      'A query reads paths into documents and JSON columns, null where there is nothing; find says that it does not',
    async run({ open }) {
      const storage = await open(
        defineSchema({
          rows: table({ id: t.integer().primaryKey(), data: t.json<{ kind?: unknown }>() }),
          plans: documents<{ owner?: { team: string; seats?: number[] } }>(),
        }),
      )
      const rows = storage.repository('rows')
      await rows.createMany([
        { id: 1, data: { kind: 'x' } },
        { id: 2, data: {} },
      ])
      assert.deepEqual(await rows.query().select({ kind: 'data.kind' }).all(), [{ kind: 'x' }, { kind: null }])
      const plans = storage.repository('plans')
      await plans.createMany([{ id: 'a', owner: { team: 'x', seats: [1, 2] } }, { id: 'b' }])
      assert.deepEqual(await plans.query().select(['id', 'owner.team']).all(), [
        { id: 'a', 'owner.team': 'x' },
        { id: 'b', 'owner.team': null },
      ])
      assert.deepEqual(await plans.query().select({ seats: 'owner.seats' }).first(), { seats: [1, 2] })
      for (const read of [
        () => plans.find({ select: wrong(['owner.team']) }),
        () => plans.page({ first: 1, select: wrong(['owner.team']) }),
        () => rows.findOne({ where: { id: 1 }, select: wrong(['data.kind']) }),
      ]) {
        const { message } = await refused(read, { code: 'VALIDATION', paths: ['select'] })
        assert.match(message, /is a path: select the whole field, or use query\(\)\.select/)
      }
    },
  },
  {
    id: 'paths/refused',
    title: 'A JSON column itself is not compared or ordered, and what is not a scalar is not a value at a path',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const bad: readonly (readonly [object, string])[] = [
        [{ data: { eq: { a: 1 } } }, 'where.data.eq'],
        [{ data: 'text' }, 'where.data'],
        [{ data: { in: [1] } }, 'where.data.in'],
        [{ data: { has: null } }, 'where.data.has'],
        [{ data: { has: ['a'] } }, 'where.data.has'],
        [{ 'data.x': [1] }, 'where.data.x'],
        [{ 'data.x': new Date(0) }, 'where.data.x'],
        [{ 'data.x': 1n }, 'where.data.x'],
        [{ 'data.x': { gt: null } }, 'where.data.x.gt'],
        [{ 'data.': 1 }, 'where.data.'],
        [{ 'data..x': 1 }, 'where.data..x'],
        [{ 'data.__proto__': 1 }, 'where.data.__proto__'],
        [{ 'data.x.__proto__.y': 1 }, 'where.data.x.__proto__.y'],
        [{ 'id.x': 1 }, 'where.id.x'],
        [{ [`data.${'x'.repeat(2_000)}`]: 1 }, `where.data.${'x'.repeat(2_000)}`],
      ]
      for (const [where, path] of bad)
        await refused(() => rows.find({ where: where as never }), { code: 'VALIDATION', paths: [path] })
      await refused(() => rows.find({ orderBy: { data: 'asc' } }), { code: 'VALIDATION', paths: ['orderBy.data'] })
    },
  },
]
