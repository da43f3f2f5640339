import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import type { Backend, Connection } from '../../backend/index.ts'
import { ConnectionError, TimeoutError, UnknownOutcomeError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import type { FaultyProxy } from '../../testing/faults/proxy.ts'
import { nameOf } from './prepared-text.ts'

const schema = defineSchema({ accounts: table({ id: t.integer().primaryKey(), balance: t.integer() }) })

let database: TestDatabase
let proxy: FaultyProxy
let backend: Backend
let statements: Statements

beforeAll(async () => {
  database = await TestDatabase.create()
})
afterAll(() => database[Symbol.asyncDispose]())

beforeEach(async () => {
  const proxied = await database.proxy()
  proxy = proxied.proxy
  backend = await database.open(schema, { url: proxied.url, queryTimeoutMs: 1_000, connectionTimeoutMs: 1_000 })
  statements = new Statements(backend, schema)
  await database.query('delete from accounts')
  await database.query('insert into accounts values (1, 10)')
})

/** Adds one to the balance, in a transaction. */
function deposit(): Promise<string> {
  return backend.transaction({}, async (connection) => {
    await statements.update('accounts', { balance: { $increment: 1 } }, { where: { id: 1 } }, connection)
    return 'deposited'
  })
}

async function balance(): Promise<unknown> {
  const [row] = await database.query('select balance::integer as balance from accounts where id = 1')
  return row?.['balance']
}

describe('a transaction whose connection is lost while it commits', () => {
  it('is committed once, and known to be, when only the reply was lost', async () => {
    const cut = proxy.cut('to client', 'COMMIT')
    await expect(deposit()).resolves.toBe('deposited')
    await cut
    expect(await balance()).toBe(11)
  })

  it('is undone, and may be repeated, when the request never arrived', async () => {
    await deposit()
    const cut = proxy.cut('to server', nameOf('commit'))
    const error = await deposit().catch((reason: unknown) => reason)
    await cut
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ retryable: true })
    expect(await balance()).toBe(11)
  })

  it('is known to be committed after many lost replies, each once', async () => {
    for (let round = 0; round < 20; round++) {
      const cut = proxy.cut('to client', 'COMMIT')
      await deposit()
      await cut
    }
    expect(await balance()).toBe(30)
  })

  it('has an unknown outcome when the server cannot be asked', async () => {
    const cut = proxy.cut('to client', 'COMMIT').then(() => proxy.blackhole())
    await expect(deposit()).rejects.toThrow(UnknownOutcomeError)
    await cut
    proxy.heal()
    expect(await balance()).toBe(11)
  })

  it('is committed when only a trigger wrote', async () => {
    await database.query('create table seen (at timestamptz)')
    await database.query(`create function note() returns trigger language plpgsql as
      $$ begin insert into seen values (now()); return null; end $$`)
    await database.query('create trigger note before update on accounts for each statement execute function note()')
    const cut = proxy.cut('to client', 'COMMIT')
    const running = backend.transaction({}, (connection) =>
      statements.update('accounts', { balance: 5 }, { where: { id: 404 } }, connection),
    )
    await expect(running).resolves.toMatchObject({ count: 0 })
    await cut
    expect(await database.query('select from seen')).toHaveLength(1)
    await database.query('drop trigger note on accounts')
  })

  it('is committed once whatever it wrote', async () => {
    const ways = [
      (connection: Connection) => statements.insert('accounts', [{ id: 2, balance: 0 }], {}, connection),
      (connection: Connection) =>
        statements.insert(
          'accounts',
          [
            { id: 3, balance: 0 },
            { id: 4, balance: 0 },
          ],
          {},
          connection,
        ),
      (connection: Connection) =>
        statements.update('accounts', { balance: 7 }, { where: { balance: 0 }, returning: ['id'] }, connection),
      (connection: Connection) =>
        statements.update('accounts', { balance: 8 }, { where: { id: 4 }, returning: ['balance'] }, connection),
      (connection: Connection) => statements.delete('accounts', { where: { id: 2 } }, connection),
      (connection: Connection) => connection.sql?.('insert into accounts values (9, 9)', []),
    ]
    for (const write of ways) {
      const cut = proxy.cut('to client', 'COMMIT')
      await backend.transaction({}, async (connection) => write(connection))
      await cut
    }
    expect(await statements.select('accounts', { orderBy: { id: 'asc' } })).toEqual([
      { id: 1, balance: 10 },
      { id: 3, balance: 7 },
      { id: 4, balance: 8 },
      { id: 9, balance: 9 },
    ])
  })

  it('may be repeated when it wrote nothing', async () => {
    const cut = proxy.cut('to client', 'COMMIT')
    const read = backend.transaction({}, (connection) => statements.select('accounts', {}, connection))
    await expect(read).rejects.toMatchObject({ name: 'ConnectionError', retryable: true })
    await cut
  })

  it('is ended by the server when it hangs there, so that its outcome is known', async () => {
    // The commit waits in the server for a trigger that waits for a lock.
    await database.query('create table gate (id integer primary key)')
    await database.query('insert into gate values (1)')
    await database.query(`create function pass() returns trigger language plpgsql as
      $$ begin perform from gate for update; return null; end $$`)
    await database.query(`create constraint trigger pass after update on accounts deferrable initially deferred
      for each row execute function pass()`)
    const holder = await database.connect()
    await holder.query('begin')
    await holder.query('select from gate for update')
    const patient = await database.open(schema, { queryTimeoutMs: 4_000, statementTimeoutMs: 0 })
    const running = patient.transaction({}, (connection) =>
      statements.update('accounts', { balance: 99 }, { where: { id: 1 } }, connection),
    )
    const error = await running.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'ConnectionError', retryable: true })
    await holder.query('rollback')
    expect(await balance()).toBe(10)
    await database.query('drop trigger pass on accounts')
  })
})

describe('a statement on its own whose connection is lost', () => {
  it('has an unknown outcome when it writes and was sent', async () => {
    const cut = proxy.cut('to client', 'UPDATE 1')
    await expect(statements.update('accounts', { balance: 12 }, { where: { id: 1 } })).rejects.toThrow(
      UnknownOutcomeError,
    )
    await cut
    expect(await balance()).toBe(12)
  })

  it('has an unknown outcome when it is gathered with other writes', async () => {
    const { plan, calls } = inserts([2, 3])
    const cut = proxy.cut('to client', 'INSERT 0 2')
    const outcomes = await backend.executeTogether(calls.map((parameters) => ({ plan, parameters })))
    await cut
    for (const { error } of outcomes) expect(error).toBeInstanceOf(UnknownOutcomeError)
  })

  it('is repeated on another session when it reads', async () => {
    const cut = proxy.cut('to client', 'SELECT 1')
    expect(await statements.select('accounts')).toEqual([{ id: 1, balance: 10 }])
    await cut
  })

  it('is repeated when it is gathered with other reads', async () => {
    const { plan, calls } = gets([1, 2])
    const cut = proxy.cut('to client', 'SELECT 1')
    const outcomes = await backend.executeTogether(calls.map((parameters) => ({ plan, parameters })))
    await cut
    expect(outcomes.map(({ result }) => result?.rows)).toEqual([[{ id: 1, balance: 10 }], []])
  })

  it('fails when it reads and every session is lost', async () => {
    const cut = proxy.cut('to client', 'SELECT 1').then(() => proxy.cut('to client', 'SELECT 1'))
    await expect(statements.select('accounts')).rejects.toMatchObject({ name: 'ConnectionError', retryable: true })
    await cut
    expect(await statements.select('accounts')).toEqual([{ id: 1, balance: 10 }])
  })

  it('may be repeated when the server said that it ends the session', async () => {
    const holder = await database.connect()
    await holder.query('begin')
    await holder.query('update accounts set balance = 0')
    const update = statements
      .update('accounts', { balance: 12 }, { where: { id: 1 } })
      .catch((reason: unknown) => reason)
    await database.sessions(1, "wait_event_type = 'Lock'")
    await database.terminate("wait_event_type = 'Lock'")
    expect(await update).toMatchObject({ name: 'ConnectionError', retryable: true })
    await holder.query('rollback')
    expect(await balance()).toBe(10)
  })

  it('may be repeated when no connection can be made', async () => {
    await proxy.close()
    await database.terminate()
    await expect(statements.update('accounts', { balance: 12 })).rejects.toMatchObject({
      name: 'ConnectionError',
      retryable: true,
    })
    expect(await balance()).toBe(10)
  })
})

describe('a server that does not answer', () => {
  it('makes a read fail in time, and its connection is not used again', async () => {
    await statements.select('accounts')
    proxy.blackhole()
    const error = await statements.select('accounts').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TimeoutError)
    proxy.heal()
    expect(await statements.select('accounts')).toEqual([{ id: 1, balance: 10 }])
  })

  it('leaves the outcome of a write unknown', async () => {
    await statements.select('accounts')
    proxy.blackhole()
    const error = await statements
      .update('accounts', { balance: 12 }, { where: { id: 1 } })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnknownOutcomeError)
    expect((error as Error).cause).toBeInstanceOf(TimeoutError)
    proxy.heal()
  })
})

function gets(ids: readonly number[]) {
  const asked = ids.map((id) => statements.selecting('accounts', { where: { id } }))
  const [first] = asked as [(typeof asked)[number]]
  return { plan: backend.prepare(first.statement), calls: asked.map(({ parameters }) => parameters) }
}

function inserts(ids: readonly number[]) {
  const asked = ids.map((id) => statements.inserting('accounts', [{ id, balance: 0 }]))
  const [first] = asked as [(typeof asked)[number]]
  return { plan: backend.prepare(first.statement), calls: asked.map(({ parameters }) => parameters) }
}
