import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SqliteFiles, sqliteDrivers } from '../../../../../test/sqlite.ts'
import type { Statements } from '../../../../../test/statements.ts'
import type { Call, Executor, Result, Settled } from '../../backend/index.ts'
import { defineSchema, t, table } from '../../schema/index.ts'

const schema = defineSchema({
  held: table({ id: t.uuid().primaryKey(), kind: t.text() }),
  notes: table({ id: t.integer().primaryKey(), about: t.uuid().nullable().references('held') }),
})

const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
const idsTo = (count: number): string[] => Array.from({ length: count }, (_, n) => idOf(n))
const [first, second] = [idOf(0), idOf(1)]

describe.each(sqliteDrivers)('deleting by many keys through %s', (driver) => {
  let files: SqliteFiles
  let db: Statements

  beforeEach(async () => {
    files = new SqliteFiles()
    db = await files.statements(schema, { driver })
    await db.insert(
      'held',
      idsTo(200).map((id) => ({ id, kind: id === second ? 'late' : 'early' })),
    )
  })
  afterEach(() => files[Symbol.asyncDispose]())

  const call = (ids: readonly string[]): Call => {
    const where = { kind: 'early', id: { in: ids } }
    const { statement, parameters } = db.deleting('held', { where, returning: ['id'] })
    return { plan: db.backend.prepare(statement), parameters }
  }
  const executed = (ids: readonly string[]) => (on: Executor) => on.execute(call(ids).plan, call(ids).parameters)
  const left = async () => new Set((await db.select('held', { fields: { id: 'id' } })).map(({ id }) => id))

  const settled = (running: Promise<Result>): Promise<Settled> =>
    running.then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    )
  const ways: [way: string, run: (ids: readonly string[]) => Promise<Settled | undefined>][] = [
    ['alone', (ids) => settled(executed(ids)(db.backend))],
    ['in a transaction', (ids) => settled(db.backend.transaction({}, (tx) => executed(ids)(tx)))],
    ['beside other writes', async (ids) => (await db.backend.executeTogether([call([]), call(ids)]))[1]],
  ]
  const cases: [what: string, ids: readonly string[], gone: readonly string[]][] = [
    ['all that are named', idsTo(200).slice(2), idsTo(200).slice(2)],
    ['those of a few', idsTo(40).slice(2), idsTo(40).slice(2)],
    ['those that are there', [...idsTo(100).slice(2), idOf(999)], idsTo(100).slice(2)],
    ['those that match', idsTo(100), idsTo(100).filter((id) => id !== second)],
    ['each once', [...idsTo(100).slice(2), idOf(5)], idsTo(100).slice(2)],
    ['none of those that are not', Array.from({ length: 100 }, (_, n) => idOf(500 + n)), []],
  ]

  it.each(ways.flatMap(([way, run]) => cases.map(([what, ...one]) => [what, way, ...one, run] as const)))(
    'removes %s, %s',
    async (_what, _way, ids, gone, run) => {
      const result = (await run(ids))?.result
      expect(result?.count).toBe(gone.length)
      expect(result?.rows.map(({ id }) => id).sort()).toEqual(gone)
      expect(await left()).toEqual(new Set(idsTo(200).filter((id) => !gone.includes(id))))
    },
  )

  it('keeps what the transaction wrote before, where not all are there', async () => {
    await db.backend.transaction({}, async (tx) => {
      await db.insert('notes', [{ id: 1, about: second }], {}, tx)
      expect((await executed(idsTo(100))(tx)).count).toBe(99)
    })
    expect(await db.select('notes')).toEqual([{ id: 1, about: second }])
  })

  it.each(ways)('removes nothing where a row refers to one of them, %s', async (_way, run) => {
    await db.insert('notes', [{ id: 1, about: first }])
    expect((await run(idsTo(100)))?.error).toMatchObject({ code: 'CONSTRAINT_FOREIGN_KEY' })
    expect((await left()).size).toBe(200)
  })
})
