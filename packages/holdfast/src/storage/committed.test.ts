import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import type { Backend, Connection, Session } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { UnknownOutcomeError } from '../base/errors.ts'
import { fitTables } from '../migrations/index.ts'
import { Repository } from '../repository/index.ts'
import { defineSchema, type Model, t, table } from '../schema/index.ts'
import { RootSession } from './root-session.ts'
import { backendOf } from './targets.ts'

const { models } = defineSchema({
  teams: table({ id: t.text().primaryKey() }),
  users: table({
    id: t.text().primaryKey(),
    team: t.text().references('teams', { onDelete: 'cascade', onUpdate: 'cascade' }),
  }),
  notes: table({ id: t.text().primaryKey(), user: t.text().nullable().references('users', { onDelete: 'setNull' }) }),
  marks: table({ id: t.text().primaryKey(), note: t.text().references('notes') }),
})

/** The records of a model, without types. */
function records(session: Session, name: string) {
  return new Repository<{ id: string }, Record<string, unknown>, string, never, never>(
    session,
    models.get(name) as Model,
  )
}

describe.each(testBackends)('what was committed on $name', ({ fresh }) => {
  let database: FreshTarget
  let backend: Backend
  let session: RootSession
  let told: string[][]

  beforeEach(async () => {
    database = await fresh()
    backend = (await backendOf(database.target, {}))({ models })
    await backend.open()
    await fitTables(backend.schema, [...models.values()], true)
    session = new RootSession(backend, models, systemClock)
    told = []
    session.onCommitted((names) => told.push([...names].sort()))
  })

  afterEach(async () => {
    await session.close()
    await database.drop()
  })

  it('is told before the promise of who wrote resolves, and nothing is told of reads', async () => {
    let toldThen = 0
    await records(session, 'teams')
      .create({ id: 'a' })
      .then(() => {
        toldThen = told.length
      })
    expect(toldThen).toBe(1)
    await records(session, 'teams').find()
    await session.transaction((tx) => records(tx, 'teams').find())
    expect(told).toEqual([['teams']])
  })

  it('names what foreign keys reach: rows that go along, follow a key, or are set to null', async () => {
    await records(session, 'teams').create({ id: 'a' })
    await records(session, 'teams').update('a', { id: 'b' })
    await records(session, 'teams').updateMany({}, { id: 'c' })
    await records(session, 'users').deleteMany({})
    await records(session, 'teams').delete('c')
    expect(told).toEqual([
      ['teams'],
      ['teams', 'users'],
      ['teams', 'users'],
      ['notes', 'users'],
      ['notes', 'teams', 'users'],
    ])
  })

  it('is told once for a transaction, and never for what was rolled back', async () => {
    const failing = session.transaction(async (tx) => {
      await records(tx, 'teams').create({ id: 'a' })
      throw new Error('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    expect(told).toEqual([])
    await session.transaction(async (tx) => {
      await records(tx, 'teams').create({ id: 'a' })
      await tx.transaction((inner) => records(inner, 'users').create({ id: 'u', team: 'a' }))
      await tx
        .transaction(async (inner) => {
          await records(inner, 'notes').create({ id: 'n' })
          throw new Error('mine')
        })
        .catch(() => undefined)
      expect(told).toEqual([])
    })
    expect(told).toEqual([['teams', 'users']])
  })

  it('is told of every one of many writes of one tick, and of none that failed', async () => {
    const teams = records(session, 'teams')
    const notes = records(session, 'notes')
    await Promise.all([teams.create({ id: 'a' }), notes.create({ id: 'n' }), teams.create({ id: 'b' })])
    expect(new Set(told.flat())).toEqual(new Set(['teams', 'notes']))
    told.length = 0
    const outcomes = await Promise.allSettled([teams.create({ id: 'a' }), notes.create({ id: 'o' })])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(told).toEqual([['notes']])
  })

  it('is heard even by who began to listen while the write was under way, and no more by who left', async () => {
    const late = vi.fn()
    const writing = records(session, 'teams').create({ id: 'a' })
    const leave = session.onCommitted(late)
    await writing
    expect(late).toHaveBeenCalledTimes(1)
    late.mockClear()
    leave()
    await records(session, 'teams').create({ id: 'b' })
    expect(late).not.toHaveBeenCalled()
  })

  it('is every model after SQL as it stands, unless that is plainly a select', async ({ skip }) => {
    if (backend.traits.sql === undefined) skip('the backend runs no SQL')
    await session.sql('select id from teams', [])
    await session.transaction(async (tx) => (tx as unknown as RootSession).sql('  SELECT 1', []))
    expect(told).toEqual([])
    await session.sql('with gone as (select 1) select 1', [])
    await session.sql("delete from teams where id = 'a'", [])
    await session.transaction(async (tx) => (tx as unknown as RootSession).sql("insert into teams values ('a')", []))
    expect(told).toEqual(Array(3).fill(['marks', 'notes', 'teams', 'users']))
  })
})

describe('a commit whose outcome nobody knows', () => {
  it('is told too', async () => {
    const lost = new UnknownOutcomeError(new Error('cut'))
    const execute = () => Promise.reject(lost)
    const executeOne = async () => ({ rows: [], count: 0 })
    const backend = {
      traits: {},
      prepare: (statement: unknown) => ({ statement, gathers: true }),
      execute,
      executeTogether: async (calls: readonly unknown[]) => calls.map(() => ({ error: lost })),
      async transaction(_: unknown, work: (connection: Connection) => Promise<unknown>) {
        await work({ execute: executeOne } as unknown as Connection)
        throw lost
      },
    } as unknown as Backend
    const session = new RootSession(backend, models, systemClock)
    const told: string[][] = []
    session.onCommitted((names) => told.push([...names]))
    const teams = records(session, 'teams')
    await Promise.allSettled([teams.create({ id: 'a' })])
    await Promise.allSettled([teams.create({ id: 'a' }), teams.create({ id: 'b' })])
    await Promise.allSettled([session.transaction((tx) => records(tx, 'teams').create({ id: 'a' }))])
    expect(told).toEqual([['teams'], ['teams'], ['teams']])
  })
})
