import assert from 'node:assert/strict'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused, refusedWhole } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const kinds = defineSchema({
  kinds: table({
    id: t.integer().primaryKey(),
    text: t.text().nullable().unique(),
    real: t.real().nullable().unique(),
    price: t.decimal(6, 2).nullable().unique(),
    at: t.timestamp().nullable().unique(),
    bytes: t.bytes().nullable().unique(),
    uuid: t.uuid().nullable().unique(),
    flag: t.boolean().nullable().unique(),
  }),
})

const pairs = defineSchema({
  pairs: table(
    { id: t.integer().primaryKey(), a: t.text().nullable(), b: t.integer(), c: t.integer() },
    { unique: [['b', 'a'], 'c'] },
  ),
})

const checked = defineSchema({
  checked: table(
    {
      id: t.integer().primaryKey(),
      age: t.integer().nullable().check({ gte: 0, lt: 150 }),
      code: t.text().default('A-1').check({ startsWith: 'A-' }),
      size: t.enum(['s', 'm', 'l']).default('s').check({ ne: 'l' }),
      price: t.decimal(8, 2).default('1').check({ gt: '0.99' }),
      from: t.timestamp().nullable(),
      to: t.timestamp().nullable(),
      data: t.json<object>().default({}),
    },
    { checks: [{ or: [{ from: null }, { to: { ne: null } }] }, { not: { 'data.locked': true } }] },
  ),
})

export const constraintCases: readonly ConformanceCase[] = [
  {
    id: 'unique/kinds',
    title: 'A unique field of any type refuses an equal value, however it was written, and names the field',
    async run({ open }) {
      const rows = (await open(kinds)).repository('kinds')
      await rows.create({
        id: 1,
        text: 'a',
        real: 0,
        price: '1.5',
        at: new Date(5),
        bytes: new Uint8Array([1, 2]),
        uuid: '0190f5c3-abcd-7000-8000-0000000000ff',
        flag: true,
      })
      const equal = {
        text: 'a',
        real: -0,
        price: '01.50',
        at: new Date(5),
        bytes: Buffer.from([1, 2]),
        uuid: '0190F5C3-ABCD-7000-8000-0000000000FF',
        flag: true,
      }
      for (const [field, value] of Object.entries(equal)) {
        const conflict = { code: 'CONFLICT_UNIQUE', model: 'kinds', fields: [field] } as const
        await refusedWhole(rows, () => rows.create({ id: 2, [field]: value }), conflict)
      }
      await rows.createMany([{ id: 2 }, { id: 3 }])
      await refusedWhole(rows, () => rows.update(2, { text: 'a' }), {
        code: 'CONFLICT_UNIQUE',
        model: 'kinds',
        fields: ['text'],
      })
      await rows.createMany(['A', 'a ', '\u00e1', 'a\u0301', ''].map((text, index) => ({ id: 10 + index, text })))
    },
  },
  {
    id: 'unique/several',
    title: 'Fields that are unique together collide only together, are named in their order, and never on null',
    async run({ open }) {
      const rows = (await open(pairs)).repository('pairs')
      await rows.createMany([
        { id: 1, a: 'x', b: 1, c: 1 },
        { id: 2, a: 'x', b: 2, c: 2 },
        { id: 3, a: null, b: 1, c: 3 },
        { id: 4, a: null, b: 1, c: 4 },
      ])
      const conflict = { code: 'CONFLICT_UNIQUE', model: 'pairs', fields: ['b', 'a'] } as const
      await refusedWhole(rows, () => rows.create({ id: 5, a: 'x', b: 2, c: 5 }), conflict)
      await refusedWhole(rows, () => rows.update(3, { a: 'x' }), conflict)
      await refusedWhole(rows, () => rows.create({ id: 5, a: 'y', b: 2, c: 4 }), { ...conflict, fields: ['c'] })
      await refusedWhole(rows, () => rows.create({ id: 4, a: 'y', b: 2, c: 9 }), { ...conflict, fields: ['id'] })
    },
  },
  {
    id: 'unique/race',
    title: 'Of 32 creates of one unique value at once one wins, and the others hear which field',
    async run({ open }) {
      const rows = (await open(kinds)).repository('kinds')
      const outcomes = await Promise.allSettled(
        Array.from({ length: 32 }, (_, id) => rows.create({ id, text: 'same' })),
      )
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
      assert.equal(lost.length, 31)
      for (const { reason } of lost) assert.deepEqual([reason.code, reason.fields], ['CONFLICT_UNIQUE', ['text']])
      assert.equal(await rows.count(), 1)
    },
  },
  {
    id: 'unique/freed',
    title: 'A unique value is free again once its record is deleted or changed, also within one transaction',
    async run({ open }) {
      const storage = await open(kinds)
      const rows = storage.repository('kinds')
      await rows.create({ id: 1, text: 'a' })
      await storage.transaction(async (tx) => {
        await tx.repository('kinds').update(1, { text: 'b' })
        await tx.repository('kinds').create({ id: 2, text: 'a' })
        await tx.repository('kinds').delete(1)
        await tx.repository('kinds').create({ id: 3, text: 'b' })
      })
      assert.deepEqual(pick(await rows.find(), 'text'), ['a', 'b'])
    },
  },
  {
    id: 'check/columns',
    title: 'A broken check names its field, on insert and on update; null passes a column’s own check',
    async run({ open }) {
      const rows = (await open(checked)).repository('checked')
      const broken: Record<string, unknown> = { age: -1, code: 'a-1', size: 'l', price: '0.99' }
      for (const [field, value] of Object.entries(broken)) {
        const violation = { code: 'CONSTRAINT_CHECK', model: 'checked', fields: [field] } as const
        await refusedWhole(rows, () => rows.create({ id: 1, [field]: value }), violation)
      }
      await rows.create({ id: 1, age: null })
      await rows.create({ id: 2, age: 149, code: 'A-%', size: 'm', price: '1' })
      for (const [field, value] of Object.entries(broken)) {
        const violation = { code: 'CONSTRAINT_CHECK', model: 'checked', fields: [field] } as const
        await refusedWhole(rows, () => rows.updateMany({ id: { gte: 0 } }, { [field]: value }), violation)
      }
    },
  },
  {
    id: 'check/by-name',
    title: 'A check of a column may name the column, like a condition of the whole table',
    async run({ open }) {
      const schema = defineSchema({
        users: table({
          id: t.integer().primaryKey(),
          totalCost: t
            .real()
            .nullable()
            .check({ totalCost: { gte: 0 } }),
          gte: t.integer().default(5).check({ gte: 5 }),
          lte: t
            .integer()
            .default(5)
            .check({ lte: { lte: 5 } }),
        }),
      })
      const users = (await open(schema)).repository('users')
      const violation = (field: string) => ({ code: 'CONSTRAINT_CHECK', model: 'users', fields: [field] }) as const
      await users.createMany([
        { id: 1, totalCost: 0 },
        { id: 2, totalCost: null },
      ])
      await refusedWhole(users, () => users.create({ id: 3, totalCost: -1 }), violation('totalCost'))
      await refusedWhole(users, () => users.update(1, { gte: 4 }), violation('gte'))
      await refusedWhole(users, () => users.update(1, { lte: 6 }), violation('lte'))
      for (const check of [{ other: { gte: 0 } }, { totalCost: { gte: 0 }, other: { gte: 0 } }]) {
        const wrongly = defineSchema({
          wrongly: table({ id: t.integer().primaryKey(), totalCost: t.real().check(check) }),
        })
        await refused(() => open(wrongly), 'CONFIGURATION')
      }
    },
  },
  {
    id: 'check/tables',
    title: 'A check of the table is a condition that every row meets, and a broken one names all of its fields',
    async run({ open }) {
      const rows = (await open(checked)).repository('checked')
      const from = new Date(0)
      await refusedWhole(rows, () => rows.create({ id: 1, from }), {
        code: 'CONSTRAINT_CHECK',
        model: 'checked',
        fields: ['from', 'to'],
      })
      await refusedWhole(rows, () => rows.create({ id: 1, data: { locked: true } }), {
        code: 'CONSTRAINT_CHECK',
        model: 'checked',
        fields: ['data.locked'],
      })
      await rows.create({ id: 1, from, to: from, data: { locked: 'true' } })
      await refusedWhole(rows, () => rows.update(1, { to: null }), {
        code: 'CONSTRAINT_CHECK',
        model: 'checked',
        fields: ['from', 'to'],
      })
    },
  },
]
