import { beforeEach, describe, expect, it } from 'vitest'
import { Statements } from '../../../../../test/statements.ts'
import { ConflictError, ConstraintError } from '../../base/errors.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'
import { memory } from './index.ts'

const schema = defineSchema({
  users: table({
    id: t.integer().primaryKey().generated(),
    email: t.text().nullable().unique(),
    visits: t.integer().nullable(),
    seen: t.timestamp().nullable(),
  }),
  sums: table({
    id: t.integer().primaryKey(),
    whole: t.integer(),
    big: t.bigint(),
    price: t.decimal(4, 2),
    ratio: t.real(),
    extra: t.json().nullable(),
  }),
  members: table({ team: t.text(), user: t.integer(), role: t.text() }, { primaryKey: ['team', 'user'] }),
  notes: documents({ indexes: ['status'] }),
})

const clock = { nowMs: 1_000_000, now: () => clock.nowMs }
let db: Statements

beforeEach(async () => {
  db = new Statements(memory({ clock })({ models: schema.models }), schema)
  await db.create()
})

describe('an insert', () => {
  it('stores null in columns that it leaves out, and gives generated keys back in order', async () => {
    const { rows, count } = await db.insert('users', [{ email: 'a' }, { email: 'b' }], {
      returning: ['id', 'email', 'visits'],
    })
    expect(count).toBe(2)
    expect(rows).toEqual([
      { id: 1, email: 'a', visits: null },
      { id: 2, email: 'b', visits: null },
    ])
  })

  it('never gives a generated key twice: not after a delete, and not below one that was given', async () => {
    await db.insert('users', [{ email: 'a' }, { email: 'b' }])
    await db.delete('users')
    expect((await db.insert('users', [{ email: 'c' }], { returning: ['id'] })).rows).toEqual([{ id: 3 }])
    await db.insert('users', [{ id: 10, email: 'd' }])
    expect((await db.insert('users', [{ email: 'e' }], { returning: ['id'] })).rows).toEqual([{ id: 11 }])
    await db.insert('users', [{ id: Number.MAX_SAFE_INTEGER, email: 'last' }])
    await expect(db.insert('users', [{ email: 'f' }])).rejects.toBeInstanceOf(ConstraintError)
  })

  it('takes the time of the database, plus what is asked for', async () => {
    await db.insert('users', [{ email: 'a', seen: 250 }], { now: ['seen'] })
    expect(await db.select('users', { fields: { seen: 'seen' } })).toEqual([{ seen: new Date(clock.nowMs + 250) }])
    await db.update('users', { seen: { $nowPlusMs: -1 } })
    expect(await db.select('users', { fields: { seen: 'seen' } })).toEqual([{ seen: new Date(clock.nowMs - 1) }])
    expect(
      await db.select('users', {
        condition: (shape) => ({
          kind: 'compare',
          field: { source: 0, column: 'seen', path: [] },
          operator: 'lt',
          operand: { kind: 'now', plusMs: shape.add(0) },
        }),
      }),
    ).toHaveLength(1)
  })

  it('leaves nothing behind when one of its rows collides', async () => {
    await db.insert('users', [{ email: 'a' }])
    const failed = db.insert('users', [{ email: 'b' }, { email: 'c' }, { email: 'a' }])
    await expect(failed).rejects.toMatchObject({ code: 'CONFLICT_UNIQUE', model: 'users', fields: ['email'] })
    expect(await db.select('users')).toHaveLength(1)
    await db.insert('users', [{ email: 'b' }])
  })

  it('changes the row it collides with, from what is stored, what is given and what was proposed', async () => {
    const upsert = (email: string, visits: number) =>
      db.insert('users', [{ email, visits }], {
        onConflict: { columns: ['email'], set: { visits: { $increment: 10 }, seen: new Date(5) } },
        returning: ['id', 'visits', 'seen'],
      })
    expect((await upsert('a', 1)).rows).toEqual([{ id: 1, visits: 1, seen: null }])
    expect((await upsert('a', 1)).rows).toEqual([{ id: 1, visits: 11, seen: new Date(5) }])
    const { rows } = await db.insert('users', [{ email: 'a', visits: 3 }], {
      onConflict: { columns: ['email'], set: { visits: { $proposed: true } } },
      returning: ['visits'],
    })
    expect(rows).toEqual([{ visits: 3 }])
  })

  it('drops rows that collide when there is nothing to set, and says which it stored', async () => {
    await db.insert('members', [{ team: 'x', user: 1, role: 'owner' }])
    const { rows, count } = await db.insert(
      'members',
      [
        { team: 'x', user: 1, role: 'guest' },
        { team: 'x', user: 2, role: 'guest' },
      ],
      { onConflict: { columns: ['user', 'team'], set: {} }, returning: ['user', 'role'] },
    )
    expect({ rows, count }).toEqual({ rows: [{ user: 2, role: 'guest' }], count: 1 })
    expect(await db.select('members', { fields: { role: 'role' }, where: { user: 1 } })).toEqual([{ role: 'owner' }])
  })

  it('still fails where another unique value collides', async () => {
    await db.insert('users', [
      { id: 1, email: 'a' },
      { id: 2, email: 'b' },
    ])
    const failed = db.insert('users', [{ id: 1, email: 'b' }], {
      onConflict: { columns: ['email'], set: { id: { $proposed: true } } },
    })
    await expect(failed).rejects.toBeInstanceOf(ConflictError)
  })
})

describe('an update', () => {
  it('changes the first rows by its order, and gives them back', async () => {
    await db.insert('users', [{ email: 'a' }, { email: 'b' }, { email: 'c' }])
    const { rows, count } = await db.update(
      'users',
      { visits: 1 },
      { where: { visits: null }, orderBy: { email: 'desc' }, limit: 2, returning: ['email', 'visits'] },
    )
    expect(count).toBe(2)
    expect(rows).toEqual([
      { email: 'c', visits: 1 },
      { email: 'b', visits: 1 },
    ])
  })

  it('lets rows swap unique values', async () => {
    await db.insert('users', [{ id: 1 }, { id: 2 }, { id: 3 }])
    await db.update('users', { id: { $increment: 1 } })
    expect((await db.select('users')).map(({ id }) => id)).toEqual([2, 3, 4])
  })

  it('adds to numbers of every type, and leaves null alone', async () => {
    await db.insert('sums', [{ id: 1, whole: 1, big: 1n, price: '1.50', ratio: 0.5, extra: null }])
    const set = {
      whole: { $increment: -3 },
      big: { $increment: 2n },
      price: { $increment: '-1.75' },
      ratio: { $increment: 0.25 },
    }
    await db.update('sums', set)
    expect(await db.select('sums')).toEqual([{ id: 1, whole: -2, big: 3n, price: '-0.25', ratio: 0.75, extra: null }])
    await db.insert('users', [{ email: 'a' }])
    await db.update('users', { visits: { $increment: 1 } })
    expect(await db.select('users', { fields: { visits: 'visits' } })).toEqual([{ visits: null }])
  })

  it('refuses what a number cannot hold, naming the field, and changes no row then', async () => {
    const most = {
      id: 1,
      whole: Number.MAX_SAFE_INTEGER,
      big: 2n ** 63n - 1n,
      price: '99.99',
      ratio: Number.MAX_VALUE,
      extra: null,
    }
    await db.insert('sums', [{ id: 0, whole: 0, big: 0n, price: '0.00', ratio: 0, extra: null }, most])
    const increments = { whole: 1, big: 1n, price: '0.01', ratio: Number.MAX_VALUE }
    for (const [field, by] of Object.entries(increments)) {
      const failed = db.update('sums', { [field]: { $increment: by } })
      await expect(failed).rejects.toMatchObject({ code: 'CONSTRAINT_CHECK', model: 'sums', fields: [field] })
    }
    expect(await db.select('sums', { where: { id: 0 } })).toMatchObject([
      { whole: 0, big: 0n, price: '0.00', ratio: 0 },
    ])
  })

  it('sets and adds to members of a document, keeping missing and null apart', async () => {
    const now = new Date()
    await db.insert('notes', [{ id: 'a', data: { n: 1, status: 'x' }, version: 1, createdAt: now, updatedAt: now }])
    await db.update('notes', { n: { $increment: 2 }, missing: { $increment: 2 }, gone: null, status: { deep: [1] } })
    const [row] = await db.select('notes', { fields: { data: 'data' } })
    expect(row).toEqual({ data: { n: 3, missing: 2, gone: null, status: { deep: [1] } } })
    expect(await db.select('notes', { where: { status: 'x' } })).toEqual([])
    await db.update('notes', { status: 'y' })
    expect(await db.select('notes', { where: { status: 'y' } })).toHaveLength(1)
  })

  it('sets no member where there is no object', async () => {
    const row = { whole: 1, big: 1n, price: '1.00', ratio: 1 }
    await db.insert('sums', [
      { id: 1, ...row, extra: null },
      { id: 2, ...row, extra: [1] },
      { id: 3, ...row, extra: {} },
    ])
    await db.update('sums', { 'extra.x': 1 })
    expect((await db.select('sums')).map(({ extra }) => extra)).toEqual([null, [1], { x: 1 }])
  })
})

describe('a delete', () => {
  it('removes the first rows by its order and gives them back as they were', async () => {
    await db.insert('users', [{ email: 'a' }, { email: 'b' }, { email: 'c' }])
    const { rows, count } = await db.delete('users', { orderBy: { email: 'desc' }, limit: 1, returning: ['email'] })
    expect({ rows, count }).toEqual({ rows: [{ email: 'c' }], count: 1 })
    expect((await db.delete('users')).count).toBe(2)
    expect(await db.select('users')).toEqual([])
  })
})
