import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import type { Backend } from '../../backend/index.ts'
import { defineSchema, t, table } from '../../schema/index.ts'

const schema = defineSchema({
  passing: table({ id: t.integer().primaryKey() }, { shortLived: true }),
  lasting: table({ id: t.integer().primaryKey() }),
})
const ROWS = 6_000

let database: TestDatabase
let backend: Backend
let statements: Statements

beforeAll(async () => {
  database = await TestDatabase.create()
  backend = await database.open(schema)
  statements = new Statements(backend, schema)
})
afterAll(() => database[Symbol.asyncDispose]())

async function comeAndGo(model: 'passing' | 'lasting'): Promise<void> {
  await statements.insert(
    model,
    Array.from({ length: ROWS }, (_, id) => ({ id })),
  )
  const { statement, parameters } = statements.deleting(model, { where: { id: { gte: 0 } } })
  expect((await backend.execute(backend.prepare(statement), parameters)).count).toBe(ROWS)
}

async function vacuumsOf(name: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'select vacuum_count::integer as n from pg_stat_user_tables where relname = $1',
    [name],
  )
  return row?.n ?? 0
}

describe('a table of rows that come and go', () => {
  it('is vacuumed without waiting for autovacuum, and other tables are left to that', async () => {
    await comeAndGo('lasting')
    // Autovacuum may be at the table just then, and the next time it is not.
    const afterMore = async () => {
      await comeAndGo('passing')
      return vacuumsOf('passing')
    }
    await expect.poll(afterMore, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(await vacuumsOf('lasting')).toBe(0)
  })
})
