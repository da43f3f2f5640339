import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import type { Backend, Result, Row } from '../../backend/index.ts'
import { ConflictError, ConstraintError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { memory } from '../memory/index.ts'
import { postgres } from '../postgres/index.ts'
import { sqlite } from '../sqlite/index.ts'

const columns = { json: t.json().nullable(), at: t.timestamp(), price: t.decimal(6, 2), bytes: t.bytes().nullable() }
const schema = defineSchema({
  live: table({ id: t.integer().primaryKey(), kind: t.text(), ...columns }),
  done: table({
    id: t.integer().primaryKey(),
    state: t.text(),
    note: t.json().nullable(),
    ended: t.timestamp(),
    ...columns,
  }),
  nodes: table({
    id: t.integer().primaryKey(),
    parent: t.integer().nullable().references('nodes', { onDelete: 'cascade' }),
  }),
  gone: table({ id: t.integer().primaryKey() }),
  nested: table({ id: t.integer().primaryKey(), parent: t.integer() }),
  held: table({ id: t.uuid().primaryKey(), kind: t.text() }),
  freed: table({ id: t.uuid().primaryKey(), kind: t.text() }),
})
const { models } = schema
const at = new Date('2026-02-03T04:05:06.007Z')
const rows: Row[] = [1, 2, 3, 4].map((id) => ({
  id,
  kind: id % 2 === 0 ? 'even' : 'odd',
  json: { id, list: [id, null] },
  at,
  price: `${id}.50`,
  bytes: id === 3 ? null : Uint8Array.of(id, 0),
}))

const folder = mkdtempSync(join(tmpdir(), 'holdfast-moving-'))
let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const backends: [name: string, open: () => Backend][] = [
  ['memory', () => memory()({ models })],
  ['sqlite', () => sqlite({ path: join(folder, 'app.db') })({ models })],
  ['postgres', () => postgres({ url: database.url.href })({ models })],
  ['postgres without prepared statements', () => postgres({ url: database.url.href, prepare: false })({ models })],
]

describe.each(backends)('a delete into another table on %s', (_, open) => {
  let backend: Backend
  let statements: Statements
  beforeAll(async () => {
    backend = open()
    statements = new Statements(backend, schema)
    await backend.open()
    const tables = [...models.values()].map(({ table: name }) => ({ kind: 'dropTable' as const, table: name }))
    const existing = await backend.schema.inspect()
    await backend.schema.apply(tables.filter(({ table: name }) => existing.some((one) => one.name === name)))
    await statements.create()
  })
  afterAll(() => backend.close())
  beforeEach(async () => {
    for (const name of models.keys()) await statements.delete(name)
    await statements.insert('live', rows)
  })

  /** Moves what has a kind. */
  function move(kind: string, returning: readonly string[] = []): Promise<Result> {
    const { statement, parameters } = statements.deleting('live', { where: { kind }, returning })
    if (statement.kind !== 'delete') throw new Error('no delete')
    const first = parameters.length
    const plan = backend.prepare({
      ...statement,
      into: {
        model: 'done',
        columns: [
          ...['id', ...Object.keys(columns)].map((column) => ({ column, value: { kind: 'column', column } as const })),
          { column: 'state', value: { kind: 'parameter', parameter: first } },
          { column: 'note', value: { kind: 'parameter', parameter: first + 1 } },
          { column: 'ended', value: { kind: 'now', plusMs: first + 2 } },
        ],
      },
    })
    return backend.execute(plan, [...parameters, 'over', { why: ['so'] }, 3_600_000])
  }

  it('moves the rows that match, whatever their types, and gives back what they were', async () => {
    const before = Date.now()
    const { count, rows: given } = await move('odd', ['kind', 'id', 'price'])
    expect(count).toBe(2)
    expect(given.sort((a, b) => (a['id'] as number) - (b['id'] as number))).toEqual([
      { kind: 'odd', id: 1, price: '1.50' },
      { kind: 'odd', id: 3, price: '3.50' },
    ])
    expect((await statements.select('live', { orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual([2, 4])
    const moved = await statements.select('done', { orderBy: { id: 'asc' } })
    expect(moved).toEqual(
      [rows[0], rows[2]].map((row) => {
        const { kind: _kind, ...kept } = row as Row
        return { ...kept, state: 'over', note: { why: ['so'] }, ended: expect.any(Date) }
      }),
    )
    const ahead = ((moved[0] as Row)['ended'] as Date).getTime() - before
    expect(ahead).toBeGreaterThan(3_500_000)
    expect(ahead).toBeLessThan(3_700_000)
  })

  it('counts what it moves where nothing is asked back, and moves nothing where nothing matches', async () => {
    expect(await move('even')).toEqual({ rows: [], count: 2 })
    expect(await move('even', ['id'])).toEqual({ rows: [], count: 0 })
    expect(await statements.select('done', { fields: { id: 'id' }, orderBy: { id: 'asc' } })).toEqual([
      { id: 2 },
      { id: 4 },
    ])
  })

  it('leaves everything as it was when a row cannot be stored there', async () => {
    await move('odd')
    await statements.insert('live', [rows[0] as Row])
    await expect(move('odd')).rejects.toThrow(ConflictError)
    expect((await statements.select('live', { orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual([1, 2, 4])
    expect(await statements.select('done')).toHaveLength(2)
  })

  it('lets a transaction that moved go on, or undo it', async () => {
    const undone = backend.transaction({}, async (connection) => {
      const { statement, parameters } = statements.deleting('live', { where: { kind: 'odd' } })
      const into = { model: 'gone', columns: [{ column: 'id', value: { kind: 'column', column: 'id' } as const }] }
      const plan = backend.prepare({ ...statement, into } as typeof statement)
      expect((await connection.execute(plan, parameters)).count).toBe(2)
      expect(await statements.select('gone', { orderBy: { id: 'asc' } }, connection)).toEqual([{ id: 1 }, { id: 3 }])
      throw new Error('undo')
    })
    await expect(undone).rejects.toThrow('undo')
    expect(await statements.select('gone')).toEqual([])
    expect(await statements.select('live')).toHaveLength(4)
  })

  it('moves the rows that match, and not those that a foreign key takes along', async () => {
    await statements.insert('nodes', [
      { id: 1, parent: null },
      { id: 2, parent: 1 },
    ])
    const { statement, parameters } = statements.deleting('nodes', { where: { id: 1 }, returning: ['id'] })
    const into = { model: 'gone', columns: [{ column: 'id', value: { kind: 'column', column: 'id' } as const }] }
    const plan = backend.prepare({ ...statement, into } as typeof statement)
    expect(await backend.execute(plan, parameters)).toEqual({ rows: [{ id: 1 }], count: 1 })
    expect(await statements.select('gone')).toEqual([{ id: 1 }])
    expect(await statements.select('nodes')).toEqual([])
  })

  it.each([
    ['all that are named', ['a', 'b', 'c'], ['a', 'b', 'c']],
    ['those of them that are there', ['a', 'x', 'b'], ['a', 'b']],
    ['those of them that match', ['a', 'd', 'c'], ['a', 'c']],
    ['each once', ['b', 'b', 'a'], ['a', 'b']],
    ['none', [], []],
  ])('moves by their keys %s', async (_, named, moved) => {
    const idOf = (letter: string): string => `00000000-0000-7000-8000-00000000000${letter.replace('x', 'f')}`
    const all = ['a', 'b', 'c', 'd'].map((letter) => ({ id: idOf(letter), kind: letter === 'd' ? 'late' : 'early' }))
    await statements.insert('held', all)
    const where = { kind: 'early', id: { in: named.map(idOf) } }
    const { statement, parameters } = statements.deleting('held', { where, returning: ['id'] })
    const given = ['id', 'kind'].map((column) => ({ column, value: { kind: 'column', column } as const }))
    const plan = backend.prepare({ ...statement, into: { model: 'freed', columns: given } } as typeof statement)
    const result = await backend.execute(plan, parameters)
    expect(result.count).toBe(moved.length)
    expect(result.rows.map(({ id }) => id).sort()).toEqual(moved.map(idOf))
    const byKey = { fields: { id: 'id' }, orderBy: { id: 'asc' } } as const
    expect((await statements.select('freed', byKey)).map(({ id }) => id)).toEqual(moved.map(idOf))
    const kept = all.map(({ id }) => id).filter((id) => !moved.map(idOf).includes(id))
    expect((await statements.select('held', byKey)).map(({ id }) => id)).toEqual(kept)
  })

  it('refuses what its target may not hold', async () => {
    const { statement, parameters } = statements.deleting('nodes', { where: { id: 7 } })
    const columns = ['id', 'parent'].map((column) => ({ column, value: { kind: 'column', column } as const }))
    const into = { model: 'nested', columns }
    await statements.insert('nodes', [{ id: 7, parent: null }])
    const plan = backend.prepare({ ...statement, into } as typeof statement)
    await expect(backend.execute(plan, parameters)).rejects.toThrow(ConstraintError)
    expect(await statements.select('nodes')).toEqual([{ id: 7, parent: null }])
  })
})
