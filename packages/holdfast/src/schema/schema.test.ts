import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError } from '../base/errors.ts'
import { type Column, defineSchema, documents, graph, queue, resolveField, t, table } from './index.ts'
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
      'a.x.y cannot hold a dot',
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

  it('refuses relations between fields whose values are never equal', () => {
    const related = (key: Column<unknown>, field: string) =>
      defineSchema(
        {
          a: table({ id: key.primaryKey() }),
          b: table({ id: t.id(), a: t.integer(), json: t.json() }),
        },
        ({ one }) => ({ b: { a1: one('a', field) } }),
      )
    expect(() => related(t.text(), 'a')).toThrow('relations.b.a1 joins b.a, which is integer, with a.id, which is text')
    expect(() => related(t.bigint(), 'a')).toThrow('a.id, which is bigint')
    expect(() => related(t.bigint(), 'json.a')).toThrow('joins b.json.a, which is a path into JSON, with a.id')
    expect(() => related(t.integer(), 'json')).toThrow('joins b.json, which is json')
    for (const key of [t.integer(), t.real()]) expect(() => related(key, 'a')).not.toThrow()
    for (const key of [t.integer(), t.text(), t.uuid()]) expect(() => related(key, 'json.a')).not.toThrow()
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
    expect(referring({ ondelete: 'cascade' })).toThrow('a.parent.ondelete is not an option; known: onDelete, onUpdate')
    for (const actions of ['cascade', null]) expect(referring(actions)).toThrow(ConfigurationError)
    expect(referring({ onDelete: 'cascade', onUpdate: undefined })).not.toThrow()
  })

  it('refuses options that there are not, and values that they cannot have, and says what is allowed', () => {
    const id = { id: t.id() }
    const fields = 'must be a list of fields or lists of fields'
    const node = { venue: z.object({ name: z.string() }) }
    const wrong: readonly (readonly [() => unknown, string])[] = [
      [
        () => table(id, { indices: ['id'] } as object),
        'a.indices is not an option; known: primaryKey, indexes, unique,',
      ],
      [() => table(id, { versioned: 'yes' } as object), 'a.versioned must be true or false, got "yes"'],
      [() => table(id, { shortLived: 1 } as object), 'a.shortLived must be true or false, got 1'],
      [
        () => table(id, { unique: 'id' } as object),
        `a.unique ${fields}, such as ['email', ['team', 'name']], got "id"`,
      ],
      [() => table(id, { indexes: [[]] } as object), `a.indexes ${fields}`],
      [() => table(id, { indexes: [5] } as object), `a.indexes ${fields}`],
      [() => table(id, { primaryKey: 'id' } as object), 'a.primaryKey must be a list of columns'],
      [() => table(id, { sparse: 'id' } as object), 'a.sparse must be a list of columns'],
      [() => table(id, { checks: { id: 'x' } } as object), 'a.checks must be a list of conditions'],
      [() => table(id, { history: { keepDays: 30 } } as object), 'a.history.keepDays is not an option; known: keepMs'],
      [() => table(id, null as never), 'a must be an object, got null'],
      [() => table(id, 'indexes' as never), 'a must be an object, got "indexes"'],
      [() => table(null as never), 'a must have an object of columns, got null'],
      [() => documents({ indices: ['x'] } as object), 'a.indices is not an option; known: schema, indexes, unique,'],
      [() => documents({ versioned: true } as object), 'a.versioned is not an option'],
      [() => documents({ unique: 'email' } as object), `a.unique ${fields}`],
      [() => documents({ schema: 5 } as object), 'a.schema must be a Standard Schema'],
      [() => documents(null as never), 'a must be an object, got null'],
      [() => queue({ schema: 5 } as object), 'a.schema must be a Standard Schema'],
      [() => queue('x' as never), 'a must be an object, got "x"'],
      [() => graph({ nodes: node, index: [] } as never), 'a.index is not an option; known: nodes, relations, indexes'],
      [() => graph({ nodes: node, indexes: 'data.name' } as never), `a.indexes ${fields}`],
      [() => graph({ nodes: [] } as never), 'a.nodes must be an object by names, got a list'],
      [() => graph({} as never), 'a.nodes must name a label'],
      [() => graph(null as never), 'a.nodes must be an object by names, got null'],
      [
        () => graph({ nodes: node, relations: { near: { from: 'venue', to: 'venue', schema: 1 } } } as never),
        'a.relations.near.schema is not an option; known: from, to, data',
      ],
      [
        () => graph({ nodes: node, relations: { near: null } } as never),
        'a.relations.near must be an object, got null',
      ],
      [() => ({}), 'a must be table(…), documents(…), queue(…) or graph(…), got an object (Object)'],
      [() => null, 'a must be table(…), documents(…), queue(…) or graph(…), got null'],
    ]
    for (const [declare, message] of wrong) {
      const define = () => defineSchema({ a: declare() as never })
      expect(define, message).toThrow(ConfigurationError)
      expect(define).toThrow(message)
    }
  })

  it('refuses what is no schema, and relations that are none', () => {
    const a = table({ id: t.id() })
    for (const declared of [undefined, null, 5, 'users', []])
      expect(() => defineSchema(declared as never)).toThrow('declarations must be an object by names')
    for (const relations of [() => null, () => 5, 'x'])
      expect(() => defineSchema({ a }, relations as never)).toThrow('relations must be an object by names')
    for (const relation of [null, 'a', {}])
      expect(() => defineSchema({ a }, () => ({ a: { b: relation } }) as never)).toThrow(
        'relations.a.b must be one(…) or many(…)',
      )
    expect(() => defineSchema({ a }, ({ one }) => ({ a: { b: one('a', undefined as never) } }))).toThrow(
      'relations.a.b must name a field or a list of them, got undefined',
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
