import { beforeEach, describe, expect, it } from 'vitest'
import { Statements } from '../../../../../test/statements.ts'
import { defineSchema, documents, type Schema, t, table } from '../../schema/index.ts'
import { memory } from './index.ts'

async function open(schema: Schema): Promise<Statements> {
  const db = new Statements(memory()({ models: schema.models }), schema)
  await db.create()
  return db
}

describe('columns and checks', () => {
  const schema = defineSchema({
    items: table(
      {
        id: t.integer().primaryKey(),
        name: t.text(),
        low: t.integer().nullable().check({ gte: 0 }),
        high: t.integer().nullable(),
      },
      { checks: [{ or: [{ high: { gt: 10 } }, { low: null }] }] },
    ),
  })
  let db: Statements

  beforeEach(async () => {
    db = await open(schema)
  })

  it('refuse null where it is not allowed', async () => {
    const failed = db.insert('items', [{ id: 1, name: null, low: null, high: null }])
    await expect(failed).rejects.toMatchObject({ code: 'CONSTRAINT_NOT_NULL', model: 'items', fields: ['name'] })
    await db.insert('items', [{ id: 1, name: 'a', low: null, high: null }])
    await expect(db.update('items', { name: null })).rejects.toMatchObject({ code: 'CONSTRAINT_NOT_NULL' })
  })

  it('let null pass a check of a column, and a check of the table only where it is true', async () => {
    await db.insert('items', [{ id: 1, name: 'a', low: null, high: null }])
    const negative = db.insert('items', [{ id: 2, name: 'a', low: -1, high: 20 }])
    await expect(negative).rejects.toMatchObject({ code: 'CONSTRAINT_CHECK', model: 'items', fields: ['low'] })
    const unmet = db.update('items', { low: 1 })
    await expect(unmet).rejects.toMatchObject({ code: 'CONSTRAINT_CHECK', fields: ['high', 'low'] })
    await db.update('items', { low: 1, high: 11 })
  })
})

describe('unique indexes', () => {
  const schema = defineSchema({
    items: table(
      {
        id: t.integer().primaryKey(),
        a: t.text().nullable(),
        b: t.integer().nullable(),
        cover: t.bytes().nullable().unique(),
      },
      { unique: [['a', 'b']] },
    ),
    notes: documents({ unique: ['owner.name'] }),
  })

  it('name their fields, and never collide on null', async () => {
    const db = await open(schema)
    await db.insert('items', [
      { id: 1, a: 'x', b: 1 },
      { id: 2, a: 'x', b: null },
      { id: 3, a: 'x', b: null },
    ])
    await expect(db.insert('items', [{ id: 4, a: 'x', b: 1 }])).rejects.toMatchObject({ fields: ['a', 'b'] })
    await expect(db.update('items', { b: 1 }, { where: { id: 2 } })).rejects.toMatchObject({ fields: ['a', 'b'] })
    await expect(db.insert('items', [{ id: 1, a: 'y', b: 1 }])).rejects.toMatchObject({ fields: ['id'] })
  })

  it('compare bytes by what they hold', async () => {
    const db = await open(schema)
    await db.insert('items', [{ id: 1, cover: new Uint8Array([1]) }])
    await db.insert('items', [{ id: 2, cover: new Uint8Array([1, 0]) }])
    await expect(db.insert('items', [{ id: 3, cover: new Uint8Array([1]) }])).rejects.toMatchObject({
      fields: ['cover'],
    })
  })

  it('take a missing JSON path for null', async () => {
    const db = await open(schema)
    const row = { version: 1, createdAt: new Date(), updatedAt: new Date() }
    await db.insert('notes', [
      { id: 'a', data: {}, ...row },
      { id: 'b', data: { owner: null }, ...row },
      { id: 'c', data: { owner: { name: 'n' } }, ...row },
    ])
    const failed = db.insert('notes', [{ id: 'd', data: { owner: { name: 'n' } }, ...row }])
    await expect(failed).rejects.toMatchObject({ code: 'CONFLICT_UNIQUE', model: 'notes', fields: ['owner.name'] })
  })
})

describe('foreign keys', () => {
  const schema = defineSchema({
    teams: table({
      id: t.integer().primaryKey(),
      parent: t.integer().nullable().references('teams', { onDelete: 'cascade', onUpdate: 'cascade' }),
    }),
    users: table({
      id: t.integer().primaryKey(),
      team: t.integer().nullable().references('teams', { onDelete: 'setNull', onUpdate: 'cascade' }),
    }),
    sessions: table(
      {
        id: t.integer().primaryKey(),
        userId: t.integer().references('users', { onDelete: 'cascade', onUpdate: 'cascade' }),
      },
      { indexes: ['userId'] },
    ),
    bills: table({ id: t.integer().primaryKey(), userId: t.integer().references('users') }),
    plans: documents(),
    runs: table({ id: t.integer().primaryKey(), planId: t.text().references('plans') }),
    left: table({
      id: t.integer().primaryKey(),
      other: t.integer().nullable().references('right', { onDelete: 'cascade' }),
    }),
    right: table({
      id: t.integer().primaryKey(),
      other: t.integer().nullable().references('left', { onDelete: 'cascade' }),
    }),
  })
  let db: Statements

  beforeEach(async () => {
    db = await open(schema)
  })

  const keys = async (model: string) => (await db.select(model, { orderBy: { id: 'asc' } })).map(({ id }) => id)

  it('refuse a reference to nowhere, and name the side that refers', async () => {
    const failed = db.insert('sessions', [{ id: 1, userId: 9 }])
    await expect(failed).rejects.toMatchObject({
      code: 'CONSTRAINT_FOREIGN_KEY',
      model: 'sessions',
      fields: ['userId'],
    })
    expect(await keys('sessions')).toEqual([])
    await db.insert('users', [{ id: 9, team: null }])
    await db.insert('sessions', [{ id: 1, userId: 9 }])
    await expect(db.update('sessions', { userId: 8 })).rejects.toMatchObject({ model: 'sessions', fields: ['userId'] })
    await expect(db.insert('runs', [{ id: 1, planId: 'none' }])).rejects.toMatchObject({
      model: 'runs',
      fields: ['planId'],
    })
  })

  it('let the rows of one statement refer to each other', async () => {
    await db.insert('teams', [
      { id: 2, parent: 1 },
      { id: 1, parent: null },
      { id: 3, parent: 3 },
    ])
    expect(await keys('teams')).toEqual([1, 2, 3])
  })

  it('restrict what is referred to, unless the reference goes with it', async () => {
    await db.insert('users', [{ id: 1, team: null }])
    await db.insert('bills', [{ id: 1, userId: 1 }])
    await expect(db.delete('users')).rejects.toMatchObject({
      code: 'CONSTRAINT_FOREIGN_KEY',
      model: 'bills',
      fields: ['userId'],
    })
    await expect(db.update('users', { id: 2 })).rejects.toMatchObject({ model: 'bills', fields: ['userId'] })
    expect(await keys('users')).toEqual([1])
    await db.delete('bills')
    await db.delete('users')
  })

  it('cascade as far as it goes, set null, and undo it all when something restricts', async () => {
    await db.insert('teams', [
      { id: 1, parent: null },
      { id: 2, parent: 1 },
      { id: 3, parent: 2 },
      { id: 4, parent: null },
    ])
    await db.insert('users', [
      { id: 1, team: 3 },
      { id: 2, team: 4 },
    ])
    await db.insert('sessions', [
      { id: 1, userId: 1 },
      { id: 2, userId: 1 },
      { id: 3, userId: 2 },
    ])
    expect((await db.delete('teams', { where: { id: 1 } })).count).toBe(1)
    expect(await keys('teams')).toEqual([4])
    expect(await db.select('users')).toEqual([
      { id: 1, team: null },
      { id: 2, team: 4 },
    ])

    await db.insert('bills', [{ id: 1, userId: 2 }])
    await expect(db.delete('users')).rejects.toMatchObject({ model: 'bills' })
    expect(await keys('users')).toEqual([1, 2])
    expect(await keys('sessions')).toEqual([1, 2, 3])
    await db.delete('users', { where: { id: 1 } })
    expect(await keys('sessions')).toEqual([3])
  })

  it('carry a changed key to those who refer to it, themselves included', async () => {
    await db.insert('teams', [
      { id: 1, parent: 1 },
      { id: 2, parent: 1 },
    ])
    await db.insert('users', [{ id: 5, team: 1 }])
    await db.update('teams', { id: { $increment: 10 } })
    expect(await db.select('teams')).toEqual([
      { id: 11, parent: 11 },
      { id: 12, parent: 11 },
    ])
    expect(await db.select('users')).toEqual([{ id: 5, team: 11 }])
  })

  it('end when references form a cycle', async () => {
    await db.insert('left', [{ id: 1, other: null }])
    await db.insert('right', [{ id: 1, other: 1 }])
    await db.update('left', { other: 1 })
    await db.delete('left')
    expect([await keys('left'), await keys('right')]).toEqual([[], []])
  })

  it('cascade through a chain of thousands', async () => {
    await db.insert(
      'teams',
      Array.from({ length: 5000 }, (_, id) => ({ id, parent: id === 0 ? null : id - 1 })),
    )
    await db.delete('teams', { where: { id: 0 } })
    expect(await keys('teams')).toEqual([])
  })

  it('may point to documents', async () => {
    const now = new Date()
    await db.insert('plans', [{ id: 'p', data: {}, version: 1, createdAt: now, updatedAt: now }])
    await db.insert('runs', [{ id: 1, planId: 'p' }])
    await expect(db.delete('plans')).rejects.toMatchObject({ model: 'runs', fields: ['planId'] })
  })
})
