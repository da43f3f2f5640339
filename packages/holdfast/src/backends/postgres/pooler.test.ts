import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import type { Backend } from '../../backend/index.ts'
import { ConflictError, TimeoutError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { type PostgresOptions, postgres } from './index.ts'

const schema = defineSchema({
  items: table({ id: t.integer().primaryKey(), at: t.timestamp(), bytes: t.bytes().nullable() }),
})
const at = new Date('2026-03-31T12:00:00.123Z')
/** A PgBouncer in transaction mode that leads to any database of a server (`* = host=…`), with a user who may create one. */
const pooler = process.env['TEST_PGBOUNCER_URL']
/** The same server without it. */
const server = process.env['TEST_PGBOUNCER_SERVER_URL']
const NOT_TRIED = 'PgBouncer is not installed, and TEST_PGBOUNCER_URL names none'

/** A database of its own behind the pooler: sessions that the pooler keeps from another run may hold anything. */
async function databaseBehind(url: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const own = new URL(url)
  own.pathname = `/test_${randomUUID().replaceAll('-', '')}`
  const run = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  await run(`create database ${own.pathname.slice(1)}`)
  return { url: own.href, drop: () => run(`drop database ${own.pathname.slice(1)} with (force)`) }
}

/** What holds with `prepare: false`, on a server and through a pooler. */
function promises(open: () => Promise<Backend>): void {
  let backend: Backend
  let statements: Statements

  beforeAll(async () => {
    backend = await open()
    statements = new Statements(backend, schema)
    const [model] = schema.models.values()
    if (model === undefined) throw new Error('no model')
    await backend.schema.apply([{ kind: 'createTable', model }])
  })
  afterAll(() => backend.close())

  it('reads and writes, alone and gathered, the same values', async () => {
    const inserts = Array.from({ length: 40 }, (_, id) =>
      statements.inserting('items', [{ id, at, bytes: new Uint8Array([id]) }]),
    )
    const insert = backend.prepare((inserts[0] as (typeof inserts)[0]).statement)
    const written = await backend.executeTogether(inserts.map(({ parameters }) => ({ plan: insert, parameters })))
    expect(written.filter(({ error }) => error !== undefined)).toEqual([])
    const gets = Array.from({ length: 40 }, (_, id) => statements.selecting('items', { where: { id } }))
    const get = backend.prepare((gets[0] as (typeof gets)[0]).statement)
    const expected = gets.map((_, id) => [{ id, at, bytes: new Uint8Array([id]) }])
    const read = await backend.executeTogether(gets.map(({ parameters }) => ({ plan: get, parameters })))
    expect(read.map(({ result }) => result?.rows)).toEqual(expected)
    const alone = await Promise.all(gets.map(({ parameters }) => backend.execute(get, parameters)))
    expect(alone.map(({ rows }) => rows)).toEqual(expected)
  })

  it('runs transactions beside each other, with savepoints and streams', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        backend.transaction({ isolation: 'read committed' }, async (connection) => {
          await statements.insert('items', [{ id: 1_000 + n, at, bytes: null }], {}, connection)
          const again = connection.savepoint(() =>
            statements.insert('items', [{ id: 1, at, bytes: null }], {}, connection),
          )
          await expect(again).rejects.toThrow(ConflictError)
          const { statement, parameters } = statements.selecting('items', {
            where: { id: { gte: 1_000 + n, lte: 1_000 + n } },
          })
          for await (const rows of connection.stream(backend.prepare(statement), parameters))
            expect(rows).toHaveLength(1)
        }),
      ),
    )
    expect(await statements.select('items', { where: { id: { gte: 1_000 } } })).toHaveLength(20)
  })

  it('ends statements that take too long inside a transaction', async () => {
    const slow = backend.transaction({}, async (connection) => connection.sql?.('select pg_sleep(10)', []))
    await expect(slow).rejects.toThrow(TimeoutError)
  })

  it('leaves no statements and no settings behind', async () => {
    const kept = await backend.sql?.('select name from pg_prepared_statements', [])
    expect(kept?.rows).toEqual([])
    const timeouts = await backend.sql?.(
      `select current_setting('statement_timeout') as s, current_setting('lock_timeout') as l`,
      [],
    )
    expect(timeouts?.rows).toEqual([{ s: '0', l: '0' }])
  })

  it('wakes those who wait in this process', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = await backend.wake?.('mail', resolve)
    await backend.notify?.('mail')
    await promise
    await end?.()
  })
}

async function opened(url: string, options: PostgresOptions = {}): Promise<Backend> {
  const backend = postgres({ url, prepare: false, statementTimeoutMs: 500, ...options })({ models: schema.models })
  await backend.open()
  return backend
}

describe('without prepared statements, on a server', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.create()
  })
  afterAll(() => database[Symbol.asyncDispose]())

  promises(() => opened(database.url.href))
})

describe('without prepared statements, through PgBouncer in transaction mode', () => {
  if (pooler === undefined) {
    it('is tried', (context) => context.skip(NOT_TRIED))
    return
  }
  let database: Awaited<ReturnType<typeof databaseBehind>>
  beforeAll(async () => {
    database = await databaseBehind(pooler)
  })
  afterAll(() => database.drop())

  promises(() => opened(database.url))

  it('hears other processes on a connection past the pooler', async ({ skip }) => {
    if (server === undefined) return skip('TEST_PGBOUNCER_SERVER_URL does not say where the server itself is')
    const past = new URL(server)
    past.pathname = new URL(database.url).pathname
    const [speaking, listening] = [await opened(database.url), await opened(database.url, { listenUrl: past.href })]
    const { promise, resolve } = Promise.withResolvers<void>()
    await listening.wake?.('mail', resolve)
    await speaking.notify?.('mail')
    await promise
    await Promise.all([speaking.close(), listening.close()])
  })
})

describe('with prepared statements, through PgBouncer in transaction mode by mistake', () => {
  if (pooler === undefined) {
    it('is tried', (context) => context.skip(NOT_TRIED))
    return
  }

  it('never runs another statement than the one that was meant', async () => {
    const { url, drop } = await databaseBehind(pooler)
    const setUp = await opened(url)
    const [model] = schema.models.values()
    if (model !== undefined) await setUp.schema.apply([{ kind: 'createTable', model }])
    await setUp.close()
    const backends = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const backend = postgres({ url })({ models: schema.models })
        await backend.open()
        return backend
      }),
    )
    const reads = backends.flatMap((backend, which) => {
      const statements = new Statements(backend, schema)
      const plan = backend.prepare(statements.selecting('items', { where: { id: which } }).statement)
      const other = backend.prepare(statements.selecting('items', { where: { at }, orderBy: { id: 'asc' } }).statement)
      return Array.from({ length: 50 }, (_, n) =>
        n % 2 === 0 ? backend.execute(plan, [which]) : backend.execute(other, [at]),
      )
    })
    const outcomes = await Promise.allSettled(reads)
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') expect(outcome.value.rows).toEqual([])
    await Promise.all(backends.map((backend) => backend.close()))
    await drop()
  })
})
