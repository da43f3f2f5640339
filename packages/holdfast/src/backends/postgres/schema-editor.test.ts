import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { postgres } from './index.ts'

const schema = defineSchema({
  users: table({
    id: t.integer().generated().primaryKey(),
    name: t.text().unique(),
    friend: t.integer().nullable().references('posts'),
  }),
  posts: table(
    { id: t.integer().primaryKey(), author: t.integer().references('users'), at: t.timestamp().defaultNow() },
    { indexes: [['author', 'at']] },
  ),
})
const all = [...schema.models.values()].map((model) => ({ kind: 'createTable' as const, model }))

let database: TestDatabase

beforeAll(async () => {
  database = await TestDatabase.create()
})
afterAll(() => database[Symbol.asyncDispose]())

describe('the schema editor', () => {
  it('lets many processes create the same tables at once, also those that refer to each other', async () => {
    const backends = Array.from({ length: 8 }, () =>
      postgres({ url: database.url.href, max: 2 })({ models: schema.models }),
    )
    await Promise.all(
      backends.map(async (backend) => {
        await backend.open()
        await backend.schema.apply(all)
      }),
    )
    const [backend] = backends as [(typeof backends)[number]]
    const tables = await backend.schema.inspect()
    expect(tables.map(({ name }) => name).sort()).toEqual(['posts', 'users'])
    for (const model of schema.models.values()) {
      const found = tables.find(({ name }) => name === model.table)
      expect(found).toMatchObject({ ...backend.schema.expected(model), indexes: expect.anything() })
      expect(found?.indexes).toEqual(expect.arrayContaining([...backend.schema.expected(model).indexes]))
    }
    await Promise.all(backends.map((one) => one.close()))
  })

  it('drops and creates as asked, all or nothing', async () => {
    const backend = await database.open(schema)
    const lone = defineSchema({ lone: table({ id: t.integer().primaryKey() }) }).models.get('lone')
    if (lone === undefined) throw new Error('no model')
    const wrong = { kind: 'createIndex', model: lone, index: 'nowhere' } as const
    await expect(backend.schema.apply([{ kind: 'createTable', model: lone }, wrong])).rejects.toThrow('nowhere')
    expect((await backend.schema.inspect()).map(({ name }) => name)).not.toContain('lone')
    await backend.schema.apply([{ kind: 'createTable', model: lone }])
    expect((await backend.schema.inspect()).map(({ name }) => name)).toContain('lone')
    await backend.schema.apply([{ kind: 'dropTable', table: 'lone' }])
    expect((await backend.schema.inspect()).map(({ name }) => name)).not.toContain('lone')
    await backend.close()
  })

  it('works inside a transaction, is undone with it, and leaves its timeouts as they were', async () => {
    const more = defineSchema({ notes: table({ id: t.integer().primaryKey() }) })
    const model = more.models.get('notes')
    if (model === undefined) throw new Error('no model')
    const backend = postgres({ url: database.url.href, max: 3 })({ models: more.models })
    await backend.open()
    const statements = new Statements(backend, more)
    const create = (fails: boolean) =>
      backend.transaction({}, async (connection) => {
        const timeouts = () =>
          connection.sql?.(`select current_setting('statement_timeout'), current_setting('lock_timeout')`, [])
        const before = await timeouts()
        await connection.schema?.apply([{ kind: 'createTable', model }])
        expect(await timeouts()).toEqual(before)
        await statements.insert('notes', [{ id: 1 }], {}, connection)
        if (fails) throw new Error('undo')
      })
    await expect(create(true)).rejects.toThrow('undo')
    expect((await backend.schema.inspect()).map(({ name }) => name)).not.toContain('notes')
    await create(false)
    expect(await statements.select('notes')).toEqual([{ id: 1 }])
    await backend.close()
  })
})
