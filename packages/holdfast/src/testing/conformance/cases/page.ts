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
      big: t.bigint().nullable(),
      real: t.real().nullable(),
      price: t.decimal(10, 2).nullable(),
      at: t.timestamp().nullable(),
      day: t.date().nullable(),
      flag: t.boolean().nullable(),
      uuid: t.uuid().nullable(),
      bytes: t.bytes().nullable(),
      data: t.json<unknown>().nullable(),
    },
    { indexes: ['int', ['text', 'int']] },
  ),
})

const TEXTS = ['', 'Z', 'a', '\uFB01', '\u{1F600}']
const JSONS = [
  null,
  {},
  { x: null },
  { x: false },
  { x: true },
  { x: -1 },
  { x: 0.5 },
  { x: '' },
  { x: '10' },
  { x: [1] },
  { x: { y: 1 } },
]
/** Rows with many ties and nulls in every column. */
const ROWS = Array.from({ length: 60 }, (_, index) => {
  const digit = index % 5
  const nothing = index % 7 === 0
  return {
    id: (index * 23) % 60,
    text: nothing ? null : (TEXTS[digit] as string),
    int: nothing ? null : digit - 2,
    big: nothing ? null : 2n ** 62n - BigInt(digit),
    real: nothing ? null : digit / 3 - 0.5,
    price: nothing ? null : `${digit * 7 - 9}.50`,
    at: nothing ? null : new Date(1e12 - digit * 1001),
    day: nothing ? null : `200${digit}-01-0${digit + 1}`,
    flag: nothing ? null : digit > 2,
    uuid: nothing ? null : `00000000-0000-0000-0000-00000000000${digit}`,
    bytes: nothing ? null : new Uint8Array(digit).fill(200 - digit),
    data: JSONS[index % JSONS.length],
  }
})

interface Pages {
  page(query: object): Promise<{ readonly items: readonly object[]; readonly next: string | null }>
}

async function walk(rows: Pages, query: object, first: number): Promise<object[]> {
  const seen: object[] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<Pages['page']>> = await rows.page({ ...query, first, after })
    assert.ok(page.items.length <= first)
    if (page.next !== null) assert.equal(page.items.length, first)
    seen.push(...page.items)
    after = page.next
    assert.ok(seen.length <= 200, 'pages go around in a cycle')
  } while (after !== null)
  return seen
}

export const pageCases: readonly ConformanceCase[] = [
  {
    id: 'page/every-order',
    title:
      'Pages give every record once and in order: by any type, ascending, descending and mixed, with ties and nulls',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(ROWS as never)
      const names = ['text', 'int', 'big', 'real', 'price', 'at', 'day', 'flag', 'uuid', 'bytes', 'data.x'] as const
      const orders = [
        {},
        { orderBy: { id: 'desc' } },
        ...names.flatMap((name) => [
          { orderBy: { [name]: 'asc' } },
          { orderBy: [{ [name]: 'desc' }] },
          { orderBy: [{ [name]: 'desc' }, { text: 'asc' }, { id: 'desc' }] },
        ]),
      ]
      for (const order of orders) {
        const all = await rows.find(order as never)
        for (const first of [7, 25])
          assert.deepEqual(await walk(rows as never, order, first), all, JSON.stringify(order))
      }
    },
  },
  {
    id: 'page/where',
    title: 'A page has a condition, a selection and no more than it was asked for',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(ROWS as never)
      const query = { where: { int: { gte: 0 } }, orderBy: { int: 'desc' }, select: ['text'] } as const
      assert.deepEqual(await walk(rows as never, query, 4), await rows.find(query))
      assert.deepEqual(await walk(rows as never, { where: { int: 99 } }, 4), [])
    },
  },
  {
    id: 'page/end',
    title: 'next is null at the end, also where the last page is full',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }])
      const one = await rows.page({ first: 2 })
      const two = await rows.page({ first: 2, after: one.next })
      assert.deepEqual([pick(one.items, 'id'), pick(two.items, 'id'), two.next], [[1, 2], [3, 4], null])
      for (const query of [{ first: 4 }, {}, undefined])
        assert.deepEqual(await rows.page(query), { items: await rows.find(), next: null })
      assert.deepEqual(await rows.page({ first: 1, where: { id: 9 } }), { items: [], next: null })
      assert.equal((await rows.page({ first: Number.MAX_SAFE_INTEGER - 1 })).items.length, 4)
    },
  },
  {
    id: 'page/others-write',
    title: 'Pages neither skip nor repeat a record when others come, go and change between them',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(Array.from({ length: 20 }, (_, index) => ({ id: index * 10, int: index % 4 })))
      const order = { orderBy: [{ int: 'asc' }, { id: 'asc' }] } as const
      const stable = pick(await rows.find(order), 'id')
      const seen: number[] = []
      let after: string | null = null
      let round = 0
      do {
        const page: { items: { id: number }[]; next: string | null } = await rows.page({ ...order, first: 3, after })
        seen.push(...pick(page.items, 'id'))
        after = page.next
        await rows.create({ id: 1 + round, int: -1 })
        await rows.create({ id: 1001 + round, int: -1 })
        await rows.delete(1 + round)
        if (page.items.at(-1) !== undefined) await rows.update((page.items.at(-1) as { id: number }).id, { int: -5 })
        round++
      } while (after !== null)
      assert.deepEqual(seen, stable)
    },
  },
  {
    id: 'page/deleted-cursor',
    title: 'A cursor goes on where its record was, when that is gone',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([1, 2, 3, 4].map((id) => ({ id, text: 'x' })))
      const page = await rows.page({ first: 2, orderBy: { text: 'asc' } })
      await rows.deleteMany({ id: { lte: 3 } })
      assert.deepEqual(
        pick((await rows.page({ first: 2, orderBy: { text: 'asc' }, after: page.next })).items, 'id'),
        [4],
      )
    },
  },
  {
    id: 'page/refused',
    title:
      'A cursor that is invalid, is tampered with or belongs to another ordering is refused, and so is an invalid size',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(ROWS as never)
      const at = (await rows.page({ first: 2, orderBy: { at: 'asc' } })).next as string
      const text = (await rows.page({ first: 20, orderBy: { text: 'asc' } })).next as string
      const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const { o, v } = JSON.parse(Buffer.from(text, 'base64url').toString()) as { o: string; v: unknown[] }
      const after = { code: 'VALIDATION', paths: ['after'] } as const
      const bad = [
        '',
        'x',
        '😀',
        '\0',
        at,
        text.slice(0, -4),
        forged(null),
        forged([]),
        forged({ o }),
        forged({ o, v: v.slice(1) }),
        forged({ o, v: [...v, 1] }),
        forged({ o, v: [5, 1] }),
        forged({ o, v: [{ gt: 1 }, 1] }),
        forged({ o, v: ['a\0', 1] }),
        forged({ o, v: ['a', '1'] }),
        forged({ o, v: ['a', 1.5] }),
      ]
      for (const cursor of bad)
        await refused(() => rows.page({ first: 2, orderBy: { text: 'asc' }, after: cursor }), after)
      for (const cursor of [5, {}, [], true]) await refused(() => rows.page({ first: 2, after: wrong(cursor) }), after)
      for (const first of [0, -1, 1.5, '2', null, Number.NaN]) {
        await refused(() => rows.page({ first: wrong(first) }), { code: 'VALIDATION', paths: ['first'] })
      }
      await refused(() => rows.page(wrong({ first: 2, limit: 5, offset: 1 })), {
        code: 'VALIDATION',
        paths: ['limit', 'offset'],
      })
      assert.equal(await rows.count(), 60)
    },
  },
]
