import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { SqliteFiles } from '../../../../../test/sqlite.ts'
import { type Asked, Statements } from '../../../../../test/statements.ts'
import type { Backend } from '../../backend/index.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'
import { bindAll, compileStatement, postgresDialect, sqliteDialect } from './index.ts'

/** That a statement can use the index that was declared for it is a promise too: asked of the databases' own planners. */
const schema = defineSchema({
  users: table(
    { id: t.integer().primaryKey(), name: t.text(), age: t.integer().nullable(), seen: t.timestamp() },
    { indexes: ['name', 'age', ['name', 'seen']] },
  ),
  notes: documents({ indexes: ['owner.team'] }),
})
const make = new Statements({} as Backend, schema)
const id = { fields: { id: 'id' } }

/** A statement, and what its plan names in SQLite and in Postgres. */
const cases: [string, Asked, RegExp, RegExp][] = [
  [
    'a prefix',
    make.selecting('users', { ...id, where: { name: { startsWith: 'ki' } } }),
    /name.*\(name>\? AND name<\?\)/,
    /users_name/,
  ],
  [
    'a list',
    make.selecting('users', { ...id, where: { name: { in: ['a', 'b'] } } }),
    /\(name=\?\)/,
    /Index Cond: .* ANY/,
  ],
  [
    'nulls first',
    make.selecting('users', { ...id, orderBy: [{ age: 'asc' }], limit: 5 }),
    /^(?!.*TEMP B-TREE)/,
    /users_age_index/,
  ],
  [
    'nulls last',
    make.selecting('users', { ...id, orderBy: [{ age: 'desc' }, { id: 'desc' }], limit: 5 }),
    /users_age_index/,
    /Backward using users_age_index/,
  ],
  [
    'a page',
    make.selecting('users', {
      ...id,
      orderBy: [{ name: 'asc' }, { seen: 'asc' }],
      after: { name: 'a', seen: new Date(0), id: 1 },
      limit: 5,
    }),
    /users_name_seen_index \(\(?name/,
    /Index Cond: \(ROW/,
  ],
  [
    'a page in two directions',
    make.selecting('users', {
      ...id,
      orderBy: [{ name: 'desc' }, { id: 'asc' }],
      after: { name: 'a', id: 1 },
      limit: 5,
    }),
    /\(name<\?\)/,
    /Index Cond: .*name <=/,
  ],
  [
    'a path',
    make.selecting('notes', { ...id, where: { 'owner.team': 'x' } }),
    /owner_team_index \(<expr>=\? AND <expr>=\?\)/,
    /notes_data_gin/,
  ],
  [
    'a range at a path',
    make.selecting('notes', { ...id, where: { 'owner.team': { gt: 5 } } }),
    /<expr>=\? AND <expr>>\?/,
    /owner_team_index/,
  ],
  [
    'a list at a path',
    make.selecting('notes', { ...id, where: { 'owner.team': { in: ['x', 'y'] } } }),
    /<expr>=\? AND <expr>=\?/,
    /owner_team_index/,
  ],
  [
    'an ordering by a path',
    make.selecting('notes', { ...id, orderBy: [{ 'owner.team': 'desc' }, { id: 'desc' }], limit: 5 }),
    /USING (COVERING )?INDEX notes_owner_team_index/,
    /Backward using notes_owner_team_index/,
  ],
  ['has', make.selecting('notes', { ...id, where: { tags: { has: 'x' } } }), /./, /notes_data_gin/],
  [
    'the first of many to change',
    make.updating('users', { name: 'x' }, { orderBy: [{ age: 'asc' }], limit: 1 }),
    /users_age_index/,
    /users_age_index/,
  ],
]

describe('SQLite', () => {
  const files = new SqliteFiles()
  let backend: Backend

  beforeAll(async () => {
    backend = (await files.statements(schema)).backend
  })
  afterAll(() => files[Symbol.asyncDispose]())

  it.each(cases)('finds %s by an index', async (_, { statement, parameters }, sqlite) => {
    const { text, bindings } = compileStatement(statement, schema.models, sqliteDialect)
    const plan = await backend.sql?.(`explain query plan ${text}`, bindAll(bindings, parameters))
    expect(plan?.rows.map(({ detail }) => detail).join('\n')).toMatch(sqlite)
  })
})

describe('Postgres', () => {
  let database: TestDatabase
  let backend: Backend

  beforeAll(async () => {
    database = await TestDatabase.create()
    backend = await database.open(schema)
  })
  afterAll(() => database[Symbol.asyncDispose]())

  it.each(cases)('finds %s by an index', async (_, { statement, parameters }, __, postgres) => {
    const { text, bindings } = compileStatement(statement, schema.models, postgresDialect)
    const plan = await backend.transaction({}, async (tx) => {
      // The tables are empty: going through them would be cheapest.
      await tx.sql?.('set local enable_seqscan = off', [])
      await tx.sql?.('set local enable_sort = off', [])
      return tx.sql?.(`explain ${text}`, bindAll(bindings, parameters))
    })
    expect(plan?.rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(postgres)
  })
})
