import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../test/postgres-database.ts'
import { defineSchema, openStorage, type Storage, t, table } from '../index.ts'

const schema = defineSchema({
  teams: table({ id: t.text().primaryKey(), kind: t.text() }),
  users: table(
    { id: t.text().primaryKey(), team: t.text().references('teams', { onDelete: 'cascade', onUpdate: 'cascade' }) },
    { history: true },
  ),
  notes: table(
    { id: t.text().primaryKey(), user: t.text().nullable().references('users', { onDelete: 'setNull' }) },
    { history: true },
  ),
})

describe('the history of what goes along, at read committed on Postgres', () => {
  let database: TestDatabase
  let storage: Storage<typeof schema>

  beforeEach(async () => {
    database = await TestDatabase.create()
    storage = await openStorage(database.url.href, { schema, autoCreate: true })
    await storage.repository('teams').create({ id: 'a', kind: 'x' })
  })

  afterEach(async () => {
    await storage.close()
    await database[Symbol.asyncDispose]()
  })

  async function operations(of: 'users' | 'notes', id: string): Promise<string[]> {
    return (await storage.repository(of).history(id)).map(({ operation }) => operation)
  }

  /** Resolves when so many sessions wait for a lock. */
  function blocked(sessions: number): Promise<void> {
    return database.sessions(sessions, "wait_event_type = 'Lock'")
  }

  const changes = {
    deleted: () =>
      storage.transaction((tx) => tx.repository('teams').delete('a'), { isolation: 'read committed', retries: 0 }),
    'deleted by a condition': () =>
      storage.transaction((tx) => tx.repository('teams').deleteMany({ kind: 'x' }), { isolation: 'read committed' }),
    'given another key': () =>
      storage.transaction((tx) => tx.repository('teams').updateMany({ id: 'a' }, { id: 'b' } as never), {
        isolation: 'read committed',
        retries: 0,
      }),
  }

  it.each(Object.entries(changes))(
    'has a record that was added while the one it refers to was %s',
    async (name, change) => {
      const other = await database.connect()
      await other.query("begin; insert into users (id, team) values ('u', 'a')")
      const changing = change()
      await blocked(1)
      await other.query('commit')
      await changing
      // The insert was not recorded, since it was made by hand; what went along was.
      expect(await operations('users', 'u')).toEqual(name === 'given another key' ? ['update'] : ['delete'])
    },
  )

  it('has a record that came to refer to one that goes along itself', async () => {
    await storage.repository('users').create({ id: 'u', team: 'a' })
    const other = await database.connect()
    await other.query(`begin; insert into notes (id, "user") values ('n', 'u')`)
    const changing = changes.deleted()
    await blocked(1)
    await other.query('commit')
    await changing
    expect([await operations('users', 'u'), await operations('notes', 'n')]).toEqual([['create', 'delete'], ['update']])
  })

  it('has what belongs to rows that were added while others like them were deleted', async () => {
    const [holding, adding] = [await database.connect(), await database.connect()]
    await holding.query("begin; update teams set kind = 'x' where id = 'a'")
    const changing = changes['deleted by a condition']()
    await blocked(1)
    await adding.query(
      "insert into teams (id, kind) values ('late', 'x'); insert into users (id, team) values ('u', 'late')",
    )
    await holding.query('commit')
    expect(await changing).toBe(2)
    expect(await operations('users', 'u')).toEqual(['delete'])
  })
})
