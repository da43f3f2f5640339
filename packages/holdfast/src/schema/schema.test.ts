import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError } from '../base/errors.ts'
import { defineSchema, documents, queue, resolveField, t, table } from './index.ts'
import { constraintName, databaseName } from './names.ts'

describe('a schema', () => {
  it('resolves names, keys, indexes and foreign keys', () => {
    const { models } = defineSchema({
      users: table({ id: t.integer().primaryKey(), userName: t.text().unique() }),
      sessions: table(
        { id: t.id(), userId: t.integer().references('users', { onDelete: 'cascade' }), meta: t.json() },
        { indexes: [['userId', 'meta.kind']], versioned: true },
      ),
      execute: queue<{ planId: string }>(),
    })
    expect([...models.keys()]).toEqual(['users', 'sessions'])
    expect(models.get('users')).toMatchObject({
      primaryKey: ['id'],
      indexes: [{ name: 'users_user_name_unique', unique: true, fields: [{ column: 'userName', path: [] }] }],
    })
    expect(models.get('sessions')).toMatchObject({
      foreignKeys: [{ column: 'userId', model: 'users', onDelete: 'cascade', onUpdate: 'restrict' }],
      indexes: [{ fields: [{ column: 'userId' }, { column: 'meta', path: ['kind'] }] }],
      versioned: true,
    })
    expect(models.get('sessions')?.columns.at(-1)?.name).toBe('version')
  })

  it('makes documents a table with a JSON column, and their fields paths into it', () => {
    const plans = defineSchema({
      plans: documents({ schema: z.object({ status: z.string() }), indexes: ['owner.team'] }),
    }).models.get('plans')
    expect(plans?.columns.map(({ column }) => column)).toEqual(['id', 'data', 'version', 'created_at', 'updated_at'])
    expect(plans?.indexes[0]?.fields).toEqual([{ column: 'data', path: ['owner', 'team'] }])
    expect(plans && resolveField(plans, 'status')).toEqual({ column: 'data', path: ['status'] })
    expect(plans && resolveField(plans, 'createdAt')).toEqual({ column: 'createdAt', path: [] })
  })

  it('names every mistake at once', () => {
    const wrong = () =>
      defineSchema(
        {
          a: table({ id: t.integer(), 'x.y': t.text(), other: t.integer().references('nowhere') }),
          b: table({ id: t.id(), userId: t.text(), user_id: t.text() }, { indexes: ['missing' as 'id'] }),
          c: table({ id: t.id(), parent: t.text().references('c', { onDelete: 'setNull' }), price: t.decimal(30, 2) }),
        },
        ({ one }) => ({ b: { owner: one('a', 'ownerId') } }),
      )
    expect(wrong).toThrow(ConfigurationError)
    for (const part of [
      'a must have one primary key',
      'a.x.y cannot hold a point',
      'a.other refers to nowhere',
      'user_id in the database',
      'b.indexes names no field missing',
      'c.parent must be nullable to be set to null',
      'c.price must have a precision of 1 to 18',
      'relations.b.owner names no field b.ownerId',
    ]) {
      expect(wrong).toThrow(part)
    }
  })

  it('refuses names that every object has already', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'and']) {
      const columns = Object.fromEntries([
        ['id', t.id()],
        [name, t.text()],
      ])
      expect(() => defineSchema({ a: table(columns) })).toThrow(`a.${name} cannot be called`)
    }
  })

  it('refuses what is no reference action, and names those that there are', () => {
    const referring = (actions: unknown) => () =>
      defineSchema({
        a: table({
          id: t.id(),
          parent: t
            .text()
            .nullable()
            .references('a', actions as object),
        }),
      })
    const known = "must be one of 'restrict', 'cascade', 'setNull'"
    expect(referring({ onDelete: 'set null' })).toThrow(`a.parent.onDelete ${known}, got "set null"`)
    expect(referring({ onUpdate: null })).toThrow(`a.parent.onUpdate ${known}, got null`)
    expect(referring({ ondelete: 'cascade' })).toThrow('a.parent.ondelete is no option; there are onDelete, onUpdate')
    for (const actions of ['cascade', null]) expect(referring(actions)).toThrow(ConfigurationError)
    expect(referring({ onDelete: 'cascade', onUpdate: undefined })).not.toThrow()
  })

  it('refuses an option that nothing would honour', () => {
    expect(() => defineSchema({ a: table({ id: t.id() }, { indices: ['id'] } as object) })).toThrow(
      'a.indices is not an option',
    )
  })
})

describe('names in the database', () => {
  it('are snake case and otherwise as they were', () => {
    expect(['lastUsed', 'order', 'naïve "quoted"', '名前'].map(databaseName)).toEqual([
      'last_used',
      'order',
      'naïve "quoted"',
      '名前',
    ])
  })

  it('of constraints stay different and within 63 bytes', () => {
    const long = 'x'.repeat(60)
    const names = [
      constraintName(long, ['a'], 'index'),
      constraintName(long, ['b'], 'index'),
      constraintName('名'.repeat(20), ['c'], 'unique'),
    ]
    expect(new Set(names).size).toBe(3)
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
  })
})
