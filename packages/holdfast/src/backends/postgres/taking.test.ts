import { afterAll, beforeAll, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import { type Backend, type Connection, Plans } from '../../backend/index.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import type { Field, Update } from '../../statement/index.ts'
import type { PostgresPlan } from './plan.ts'

const ROWS = 20_000
const schema = defineSchema({
  letters: table(
    { id: t.integer().primaryKey(), box: t.text(), open: t.boolean(), text: t.text() },
    { indexes: [['box', 'open', 'id']] },
  ),
})

let database: TestDatabase
let backend: Backend

beforeAll(async () => {
  database = await TestDatabase.create()
  backend = await database.open(schema)
  await database.query('alter table letters set (autovacuum_enabled = off)')
  const letters = Array.from({ length: ROWS }, (_, id) => ({ id, box: 'in', open: false, text: 'x'.repeat(300) }))
  await new Statements(backend, schema).insert('letters', letters)
})
afterAll(() => database[Symbol.asyncDispose]())

const field = (column: string): Field => ({ source: 0, column, path: [] })
const equals = (column: string, parameter: number) =>
  ({ kind: 'compare', field: field(column), operator: 'eq', operand: { kind: 'parameter', parameter } }) as const

const open: Update = {
  kind: 'update',
  model: 'letters',
  set: [{ field: field('open'), operation: 'set', operand: { kind: 'parameter', parameter: 0 } }],
  where: { kind: 'and', conditions: [equals('box', 1), equals('open', 2)] },
  orderBy: [{ field: field('id'), direction: 'asc' }],
  limit: 3,
  skipLocked: true,
  returning: ['id'],
}

it('takes the first of many rows without reading the others, though the server has no statistics', async () => {
  const plan = new Plans(backend).get('open', () => open)
  const counted = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index)
  const take = async (from: Pick<Connection, 'execute'>, count: number) => {
    const { rows, count: taken } = await from.execute(plan, [true, 'in', false, count])
    expect(taken).toBe(count)
    return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
  }
  expect(await take(backend, 300)).toEqual(counted(0, 300))
  await backend.transaction({}, async (connection) => {
    expect(await take(connection, 200)).toEqual(counted(300, 200))
    // What the transaction does besides is planned as ever.
    const { rows } = (await connection.sql?.('show enable_sort', [])) ?? { rows: [] }
    expect(rows).toEqual([{ enable_sort: 'on' }])
  })
  // The server counts what a session did when it ends.
  await backend.close()
  await expect
    .poll(
      async () => {
        const [read] = await database.query<{ scans: string; fetched: string }>(
          `select idx_scan as scans, idx_tup_fetch as fetched from pg_stat_user_tables where relname = 'letters'`,
        )
        return Number(read?.scans) < 4 ? 'not counted yet' : Number(read?.fetched)
      },
      { timeout: 10_000 },
    )
    .toBeLessThan(ROWS / 2)
})

it('lets a statement that need not be synced not wait for the disk, where it commits by itself, and nothing else', async () => {
  const other = await database.open(schema)
  const plan = new Plans(other).get('open unsynced', () => ({ ...open, unsynced: true })) as PostgresPlan
  const parameters = [true, 'in', false, 1]
  const textsOf = (requests: readonly { readonly text: string }[]) => requests.map(({ text }) => text).join(';')
  expect(textsOf(plan.requestsAlone(parameters))).toContain('synchronous_commit')
  expect(textsOf(plan.requests(parameters))).not.toContain('synchronous_commit')
  const setting = async (on: Pick<Connection, 'sql'>) => (await on.sql?.('show synchronous_commit', []))?.rows
  expect((await other.execute(plan, parameters)).rows).toHaveLength(1)
  expect(await setting(other)).toEqual([{ synchronous_commit: 'on' }])
  await other.transaction({}, async (connection) => {
    expect((await connection.execute(plan, parameters)).rows).toHaveLength(1)
    expect(await setting(connection)).toEqual([{ synchronous_commit: 'on' }])
  })
  await other.close()
})
