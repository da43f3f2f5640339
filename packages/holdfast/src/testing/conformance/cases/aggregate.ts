import assert from 'node:assert/strict'
import { avg, count, countDistinct, dateTrunc, max, min, sum } from '../../../repository/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  rows: table(
    {
      id: t.integer().primaryKey(),
      team: t.text().nullable(),
      int: t.integer().nullable(),
      big: t.bigint().nullable(),
      real: t.real().nullable(),
      price: t.decimal(10, 2).nullable(),
      flag: t.boolean().nullable(),
      at: t.timestamp().nullable(),
      day: t.date().nullable(),
      uuid: t.uuid().nullable(),
      bytes: t.bytes().nullable(),
      kind: t.enum(['z', 'a']).nullable(),
      data: t.json<unknown>().nullable(),
    },
    { indexes: ['team'] },
  ),
})
const FIELDS = ['team', 'int', 'big', 'real', 'price', 'flag', 'at', 'day', 'uuid', 'bytes', 'kind', 'data.x'] as const

const low = {
  team: 'B',
  int: 1,
  big: 2n ** 60n,
  real: 0.5,
  price: '9.10',
  flag: false,
  at: new Date(5),
  day: '1999-12-31',
  uuid: '0190f5c3-0000-7000-8000-000000000001',
  bytes: new Uint8Array([1, 2]),
  kind: 'a',
  data: { x: 2 },
} as const
const high = {
  team: 'a',
  int: 2,
  big: 2n ** 60n + 1n,
  real: 1,
  price: '10.20',
  flag: true,
  at: new Date(6),
  day: '2000-01-01',
  uuid: 'f190f5c3-0000-7000-8000-000000000000',
  bytes: new Uint8Array([128]),
  kind: 'z',
  data: { x: 10 },
} as const
const nothing = { int: null, at: null, data: { x: null } }

export const aggregateCases: readonly ConformanceCase[] = [
  {
    id: 'aggregate/types',
    title:
      'Aggregates have the type of their field: a sum of bigints is a bigint, of decimals text; avg is a number; nulls do not count',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, ...low },
        { id: 2, ...high },
        { id: 3, ...high },
        { id: 4, ...nothing },
      ] as never)
      const [sums] = await rows.aggregate({
        select: {
          int: sum('int'),
          big: sum('big'),
          real: sum('real'),
          price: sum('price'),
          path: sum('data.x'),
          n: count(),
          known: count('int'),
        },
      })
      assert.deepEqual(sums, { int: 5, big: 3n * 2n ** 60n + 2n, real: 2.5, price: '29.50', path: 22, n: 4, known: 3 })
      const [means] = await rows.aggregate({
        select: { int: avg('int'), real: avg('real'), price: avg('price'), big: avg('big'), path: avg('data.x') },
      })
      const close = (actual: unknown, expected: number) =>
        assert.ok(Math.abs(Number(actual) / expected - 1) < 1e-12, `${actual} is not ${expected}`)
      for (const [name, mean] of Object.entries({
        int: 5 / 3,
        real: 2.5 / 3,
        price: 29.5 / 3,
        big: 2 ** 60,
        path: 22 / 3,
      })) {
        assert.equal(typeof (means as Record<string, unknown>)[name], 'number')
        close((means as Record<string, unknown>)[name], mean)
      }
      for (const field of FIELDS) {
        const [found] = await rows.aggregate({
          select: { least: min(field), most: max(field), different: countDistinct(field), known: count(field) },
        })
        const value = (row: typeof low | typeof high) =>
          field === 'data.x' ? row.data.x : row[field as keyof typeof low]
        assert.deepEqual(found, { least: value(low), most: value(high), different: 2, known: 3 }, field)
      }
    },
  },
  {
    id: 'aggregate/nothing',
    title: 'Over no records counts are 0 and the others null, in exactly one result; with groups there is none',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const select = {
        n: count(),
        known: count('int'),
        different: countDistinct('team'),
        sum: sum('big'),
        avg: avg('int'),
        min: min('at'),
        max: max('team'),
        path: sum('data.x'),
      }
      const zero = { n: 0, known: 0, different: 0, sum: null, avg: null, min: null, max: null, path: null }
      assert.deepEqual(await rows.aggregate({ select }), [zero])
      await rows.create({ id: 1 })
      assert.deepEqual(await rows.aggregate({ select }), [{ ...zero, n: 1 }])
      assert.deepEqual(await rows.aggregate({ where: { id: 9 }, select }), [zero])
      assert.deepEqual(await rows.aggregate({ where: { id: 9 }, groupBy: { team: 'team' }, select }), [])
    },
  },
  {
    id: 'aggregate/groups',
    title: 'Groups come by their values with null first, text by code point; null is one group',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const teams = ['b', 'B', 'b ', null, 'é', '\u{1F600}', '\uFB01', null, 'b', '']
      await rows.createMany(teams.map((team, id) => ({ id, team, int: id })))
      assert.deepEqual(await rows.aggregate({ groupBy: { team: 'team' }, select: { n: count(), most: max('int') } }), [
        { team: null, n: 2, most: 7 },
        { team: '', n: 1, most: 9 },
        { team: 'B', n: 1, most: 1 },
        { team: 'b', n: 2, most: 8 },
        { team: 'b ', n: 1, most: 2 },
        { team: 'é', n: 1, most: 4 },
        { team: '\uFB01', n: 1, most: 6 },
        { team: '\u{1F600}', n: 1, most: 5 },
      ])
    },
  },
  {
    id: 'aggregate/groups-of-all-types',
    title: 'Values of any type make groups, and come back as they are stored',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, ...low },
        { id: 2, ...high },
        { id: 3, ...high },
      ] as never)
      for (const field of FIELDS) {
        const value = (row: typeof low | typeof high) =>
          field === 'data.x' ? row.data.x : row[field as keyof typeof low]
        assert.deepEqual(
          await rows.aggregate({ groupBy: { value: field as 'team' }, select: { n: count() } }),
          [
            { value: value(low), n: 1 },
            { value: value(high), n: 2 },
          ],
          field,
        )
      }
    },
  },
  {
    id: 'aggregate/groups-at-paths',
    title: 'What stands at a JSON path makes groups by type and value; missing and null are one',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const values = [{ x: 1 }, { x: '1' }, { x: true }, { x: null }, {}, null, { x: 1 }, { x: 'a' }]
      await rows.createMany(values.map((data, id) => ({ id, data })))
      assert.deepEqual(await rows.aggregate({ groupBy: { x: 'data.x' }, select: { n: count() } }), [
        { x: null, n: 3 },
        { x: true, n: 1 },
        { x: 1, n: 2 },
        { x: '1', n: 1 },
        { x: 'a', n: 1 },
      ])
      const [all] = await rows.aggregate({
        select: { sum: sum('data.x'), n: count('data.x'), different: countDistinct('data.x') },
      })
      assert.deepEqual(all, { sum: 2, n: 5, different: 4 })
    },
  },
  {
    id: 'aggregate/date-buckets',
    title:
      'Timestamps are cut to the minute, hour, day, week from Monday, month, quarter and year, in UTC, before 1970 too',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const cuts: readonly (readonly [string, Record<string, string>])[] = [
        [
          '2024-03-31T01:59:59.999Z',
          {
            minute: '2024-03-31T01:59',
            hour: '2024-03-31T01:00',
            day: '2024-03-31',
            week: '2024-03-25',
            month: '2024-03-01',
            quarter: '2024-01-01',
            year: '2024-01-01',
          },
        ],
        [
          '2024-04-01T00:00:00.000Z',
          {
            minute: '2024-04-01T00:00',
            hour: '2024-04-01T00:00',
            day: '2024-04-01',
            week: '2024-04-01',
            month: '2024-04-01',
            quarter: '2024-04-01',
            year: '2024-01-01',
          },
        ],
        [
          '1969-12-31T23:59:59.999Z',
          {
            minute: '1969-12-31T23:59',
            hour: '1969-12-31T23:00',
            day: '1969-12-31',
            week: '1969-12-29',
            month: '1969-12-01',
            quarter: '1969-10-01',
            year: '1969-01-01',
          },
        ],
        [
          '1900-01-07T12:00:00.000Z',
          {
            minute: '1900-01-07T12:00',
            hour: '1900-01-07T12:00',
            day: '1900-01-07',
            week: '1900-01-01',
            month: '1900-01-01',
            quarter: '1900-01-01',
            year: '1900-01-01',
          },
        ],
        [
          '0004-02-29T05:06:07.008Z',
          {
            minute: '0004-02-29T05:06',
            hour: '0004-02-29T05:00',
            day: '0004-02-29',
            week: '0004-02-23',
            month: '0004-02-01',
            quarter: '0004-01-01',
            year: '0004-01-01',
          },
        ],
      ]
      await rows.createMany(cuts.map(([at], id) => ({ id, at: new Date(at) })))
      for (const [id, [, expected]] of cuts.entries()) {
        for (const [unit, start] of Object.entries(expected)) {
          const found = await rows.aggregate({
            where: { id },
            groupBy: { start: dateTrunc(unit as 'day', 'at') },
            select: { n: count() },
          })
          assert.deepEqual(
            found,
            [{ start: new Date(start.length > 10 ? `${start}:00.000Z` : `${start}T00:00:00.000Z`), n: 1 }],
            `${id} ${unit}`,
          )
        }
      }
      const quarters = await rows.aggregate({
        where: { id: { lte: 1 } },
        groupBy: { year: dateTrunc('year', 'at') },
        select: { n: count() },
      })
      assert.deepEqual(quarters, [{ year: new Date('2024-01-01'), n: 2 }])
    },
  },
  {
    id: 'aggregate/having',
    title: 'having, orderBy, limit and offset speak of the results by their names',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(
        Array.from({ length: 60 }, (_, id) => ({
          id,
          team: `t${id % 6}`,
          int: id,
          price: `${id % 6}`,
          big: BigInt(id % 6),
        })),
      )
      const ask = (rest: object) =>
        rows.aggregate({
          groupBy: { team: 'team' },
          select: { n: count(), sum: sum('int'), price: sum('price'), big: sum('big') },
          ...rest,
        })
      const teams = async (rest: object) => (await ask(rest)).map(({ team }) => team)
      assert.deepEqual(await teams({ orderBy: { sum: 'desc' }, limit: 2 }), ['t5', 't4'])
      assert.deepEqual(await teams({ orderBy: { sum: 'desc' }, offset: 4 }), ['t1', 't0'])
      assert.deepEqual(await teams({ having: { sum: { gt: 280 }, team: { ne: 't5' } } }), ['t2', 't3', 't4'])
      assert.deepEqual(await teams({ having: { price: { gte: '30' } } }), ['t3', 't4', 't5'])
      assert.deepEqual(await teams({ having: { big: { in: [10n, 50n] } } }), ['t1', 't5'])
      assert.deepEqual(await teams({ having: { or: [{ n: { ne: 10 } }, { team: { startsWith: 't0' } }] } }), ['t0'])
      assert.deepEqual(await teams({ orderBy: [{ n: 'asc' }, { price: 'desc' }], limit: 1 }), ['t5'])
      assert.deepEqual(await rows.aggregate({ select: { n: count() }, having: { n: { gt: 60 } } }), [])
      assert.deepEqual(await rows.aggregate({ select: { n: count() }, having: { n: 60 } }), [{ n: 60 }])
    },
  },
  {
    id: 'aggregate/names',
    title: 'Results may have any name, also that of another field, a keyword or one with quotes',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, int: 5, team: 'b' },
        { id: 2, int: 6, team: 'a' },
      ])
      const found = await rows.aggregate({
        groupBy: { int: 'team' },
        select: { team: sum('int'), 'a "b"': count(), select: max('id'), constructor: min('id') },
        orderBy: wrong({ team: 'desc' }),
        having: wrong({ team: { gt: 0 } }),
      })
      assert.deepEqual(found, [
        { int: 'a', team: 6, 'a "b"': 1, select: 2, constructor: 2 },
        { int: 'b', team: 5, 'a "b"': 1, select: 1, constructor: 1 },
      ])
      for (const name of ['', '__proto__', 'a\0b', '\ud800']) {
        const select = JSON.parse(`{${JSON.stringify(name)}:1}`) as Record<string, unknown>
        for (const key of Object.keys(select)) Object.defineProperty(select, key, { value: count(), enumerable: true })
        await refused(() => rows.aggregate({ select: select as never }), {
          code: 'VALIDATION',
          paths: [`select.${name}`],
        })
      }
    },
  },
  {
    id: 'aggregate/fields',
    title: 'Groups are named by a field, by a list of fields or by names for them, and a field named twice counts once',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, team: 'a', int: 1, data: { x: 'p' } },
        { id: 2, team: 'a', int: 2, data: { x: 'p' } },
        { id: 3, team: 'b', int: 2, data: { x: 'q' } },
      ])
      const select = { n: count() }
      const byTeam = [
        { team: 'a', n: 2 },
        { team: 'b', n: 1 },
      ]
      assert.deepEqual(await rows.aggregate({ groupBy: 'team', select }), byTeam)
      assert.deepEqual(await rows.aggregate({ groupBy: ['team'], select }), byTeam)
      assert.deepEqual(await rows.aggregate({ groupBy: ['team', 'team'], select }), byTeam)
      assert.deepEqual(await rows.aggregate({ groupBy: { team: 'team' }, select }), byTeam)
      assert.deepEqual(await rows.aggregate({ groupBy: ['data.x', 'int'], select, orderBy: { int: 'desc' } }), [
        { 'data.x': 'p', int: 2, n: 1 },
        { 'data.x': 'q', int: 2, n: 1 },
        { 'data.x': 'p', int: 1, n: 1 },
      ])
    },
  },
  {
    id: 'aggregate/too-large',
    title: 'A sum that its type cannot hold is refused, and one that only passes through such a value is not',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([
        { id: 1, int: Number.MAX_SAFE_INTEGER, big: 2n ** 63n - 1n, team: 'a' },
        { id: 2, int: 1, big: 1n, team: 'a' },
        { id: 3, int: -1, big: -1n, team: 'b' },
      ])
      for (const field of ['int', 'big'] as const) {
        await refusedWhole(rows, () => rows.aggregate({ where: { team: 'a' }, select: { sum: sum(field) } }), {
          code: 'VALIDATION',
          paths: ['sum'],
        })
      }
      assert.deepEqual(await rows.aggregate({ select: { int: sum('int'), big: sum('big') } }), [
        { int: Number.MAX_SAFE_INTEGER, big: 2n ** 63n - 1n },
      ])
    },
  },
  {
    id: 'aggregate/refused',
    title:
      'A question that makes no sense is refused and names the part: an unknown field, a sum of text, a field beside groups',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const bad: readonly (readonly [object, string])[] = [
        [{ select: { n: sum('nope') } }, 'select.n'],
        [{ select: { n: sum('team') } }, 'select.n'],
        [{ select: { n: avg('at') } }, 'select.n'],
        [{ select: { n: max('data') } }, 'select.n'],
        [{ select: { n: 5 } }, 'select.n'],
        [{ select: { n: { function: 'count' } } }, 'select.n'],
        [{ select: {} }, 'select'],
        [{ select: 5 }, 'select'],
        [{ select: 'n' }, 'select.n'],
        [{ groupBy: ['nope'], select: { n: count() } }, 'groupBy.nope'],
        [{ groupBy: [dateTrunc('day', 'at')], select: { n: count() } }, 'groupBy.0'],
        [{ groupBy: new Array(1), select: { n: count() } }, 'groupBy.0'],
        [{ groupBy: null, select: { n: count() } }, 'groupBy'],
        [{ groupBy: { x: 'nope' }, select: { n: count() } }, 'groupBy.x'],
        [{ groupBy: { x: 'data' }, select: { n: count() } }, 'groupBy.x'],
        [{ groupBy: { x: dateTrunc('day', 'team') }, select: { n: count() } }, 'groupBy.x'],
        [{ groupBy: { x: dateTrunc('decade' as never, 'at') }, select: { n: count() } }, 'groupBy.x'],
        [{ groupBy: { x: 'team' }, select: { n: 'int' } }, 'select.n'],
        [{ select: { n: count() }, having: { team: 'a' } }, 'having.team'],
        [{ select: { n: count() }, having: { n: 'a' } }, 'having.n'],
        [{ select: { n: count() }, orderBy: { team: 'asc' } }, 'orderBy.team'],
        [{ select: { n: count() }, limit: -1 }, 'limit'],
        [{ select: { n: count() }, where: { n: 1 } }, 'where.n'],
      ]
      for (const [query, path] of bad)
        await refused(() => rows.aggregate(wrong(query)), { code: 'VALIDATION', paths: [path] })
    },
  },
]
