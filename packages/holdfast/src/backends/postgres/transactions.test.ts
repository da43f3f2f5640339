import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import type { Backend, Connection } from '../../backend/index.ts'
import { ConfigurationError, ConflictError, SerializationError, StorageError, TimeoutError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'

const schema = defineSchema({
  doctors: table({ id: t.integer().primaryKey(), onCall: t.boolean() }),
  notes: table({ id: t.integer().primaryKey(), text: t.text() }),
})

let database: TestDatabase
let backend: Backend
let statements: Statements

beforeAll(async () => {
  database = await TestDatabase.create()
  backend = await database.open(schema)
  statements = new Statements(backend, schema)
})
afterAll(() => database[Symbol.asyncDispose]())

beforeEach(async () => {
  await database.query('truncate doctors, notes')
  await statements.insert('doctors', [
    { id: 1, onCall: true },
    { id: 2, onCall: true },
  ])
})

function note(connection: Connection, id: number): Promise<unknown> {
  return statements.insert('notes', [{ id, text: 'x' }], {}, connection)
}

async function notes(): Promise<unknown[]> {
  return (await statements.select('notes')).map(({ id }) => id)
}

describe('serializable transactions', () => {
  it('do not let two doctors leave because each saw the other', async () => {
    const seen = [0, 0].map(() => Promise.withResolvers<void>())
    const both = Promise.all(seen.map(({ promise }) => promise))
    const leave = (id: number) =>
      backend.transaction({}, async (connection) => {
        const there = await statements.select('doctors', { where: { onCall: true } }, connection)
        seen[id - 1]?.resolve()
        await both
        if (there.length > 1) await statements.update('doctors', { onCall: false }, { where: { id } }, connection)
      })
    const outcomes = await Promise.allSettled([leave(1), leave(2)])
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(failed).toHaveLength(1)
    expect(failed[0]).toBeInstanceOf(SerializationError)
    expect(await statements.select('doctors', { where: { onCall: true } })).toHaveLength(1)
  })

  it('that wait for each other fail so that they can be repeated', async () => {
    const locked = [0, 0].map(() => Promise.withResolvers<void>())
    const both = Promise.all(locked.map(({ promise }) => promise))
    const inOrder = (first: number, second: number) =>
      backend.transaction({ isolation: 'read committed' }, async (connection) => {
        await statements.update('doctors', { onCall: false }, { where: { id: first } }, connection)
        locked[first - 1]?.resolve()
        await both
        await statements.update('doctors', { onCall: false }, { where: { id: second } }, connection)
      })
    const outcomes = await Promise.allSettled([inOrder(1, 2), inOrder(2, 1)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(failed?.reason).toBeInstanceOf(SerializationError)
  })

  it('refuse a level that does not exist, whatever it says', async () => {
    const isolation = 'serializable; drop table notes' as 'serializable'
    await expect(backend.transaction({ isolation }, (connection) => note(connection, 1))).rejects.toThrow(
      ConfigurationError,
    )
    expect(await notes()).toEqual([])
  })

  it('run at the level that was asked for', async () => {
    const level = async (options: Parameters<Backend['transaction']>[0]) =>
      backend.transaction(options, async (connection) => {
        const shown = await connection.sql?.('show transaction_isolation', [])
        const readOnly = await connection.sql?.('show transaction_read_only', [])
        return [shown?.rows[0]?.['transaction_isolation'], readOnly?.rows[0]?.['transaction_read_only']]
      })
    expect(await level({})).toEqual(['serializable', 'off'])
    expect(await level({ isolation: 'repeatable read' })).toEqual(['repeatable read', 'off'])
    expect(await level({ isolation: 'read committed', readOnly: true })).toEqual(['read committed', 'on'])
  })
})

describe('a transaction', () => {
  it('writes all or nothing', async () => {
    const reason = new Error('changed my mind')
    const running = backend.transaction({}, async (connection) => {
      await note(connection, 1)
      throw reason
    })
    await expect(running).rejects.toBe(reason)
    expect(await notes()).toEqual([])
  })

  it('that swallowed an error does not pretend to have committed', async () => {
    const running = backend.transaction({}, async (connection) => {
      await note(connection, 1)
      await note(connection, 1).catch(() => undefined)
    })
    await expect(running).rejects.toMatchObject({ name: 'StorageError', code: 'TRANSACTION_FAILED' })
    expect(await notes()).toEqual([])
  })

  it('gives each of the statements of one tick its own result or error', async () => {
    const running = backend.transaction({}, async (connection) => {
      const outcomes = await Promise.allSettled([1, 2, 2, 3].map((id) => note(connection, id)))
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
      expect((outcomes[2] as PromiseRejectedResult).reason).toBeInstanceOf(ConflictError)
      expect((outcomes[3] as PromiseRejectedResult).reason).toMatchObject({ code: 'TRANSACTION_FAILED' })
      throw (outcomes[2] as PromiseRejectedResult).reason
    })
    await expect(running).rejects.toThrow(ConflictError)
  })

  it('waits for statements that nobody awaited, and refuses those that come after it', async () => {
    let kept: Connection | undefined
    await backend.transaction({}, async (connection) => {
      kept = connection
      void note(connection, 1)
    })
    expect(await notes()).toEqual([1])
    await expect(note(kept as Connection, 2)).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
    await expect(kept?.sql?.('delete from notes', [])).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
    expect(await notes()).toEqual([1])
  })

  it('that is read-only refuses writes', async () => {
    const running = backend.transaction({ readOnly: true }, (connection) => note(connection, 1))
    await expect(running).rejects.toMatchObject({ name: 'StorageError', code: 'READ_ONLY' })
  })

  it('runs raw SQL among its statements', async () => {
    const count = await backend.transaction({}, async (connection) => {
      await connection.sql?.('insert into notes values ($1, $2)', [1, 'raw'])
      await note(connection, 2)
      return connection.sql?.('select count(*)::integer as n from notes', [])
    })
    expect(count).toEqual({ rows: [{ n: 2 }], count: 1 })
    expect(await notes()).toEqual([1, 2])
  })
})

describe('a transaction that takes longer than its timeout', () => {
  it('is undone, and what it waited for on the server is given up', async () => {
    const holder = await database.connect()
    await holder.query('begin')
    await holder.query('update doctors set on_call = false where id = 1')
    const running = backend.transaction({ timeoutMs: 200 }, async (connection) => {
      await note(connection, 1)
      await statements.update('doctors', { onCall: true }, { where: { id: 1 } }, connection)
    })
    await expect(running).rejects.toThrow(TimeoutError)
    await database.sessions(0, "wait_event_type = 'Lock'")
    await holder.query('rollback')
    expect(await notes()).toEqual([])
  })

  it('is undone while it waits for something else, and can do nothing more', async () => {
    const slow = Promise.withResolvers<void>()
    const late = Promise.withResolvers<unknown>()
    const running = backend.transaction({ timeoutMs: 100 }, async (connection) => {
      await note(connection, 1)
      await slow.promise
      await note(connection, 2).catch(late.resolve)
    })
    await expect(running).rejects.toThrow(TimeoutError)
    slow.resolve()
    expect(await late.promise).toBeInstanceOf(TimeoutError)
    expect(await notes()).toEqual([])
  })

  it('frees its connection', async () => {
    const few = await database.open(schema, { max: 1 })
    const never = new Promise<void>(() => undefined)
    for (let round = 0; round < 3; round++) {
      await expect(few.transaction({ timeoutMs: 20 }, () => never)).rejects.toThrow(TimeoutError)
    }
    await few.ping()
    await few.close()
  })
})

describe('a savepoint', () => {
  it('undoes what was done in it, and the transaction goes on', async () => {
    await backend.transaction({}, async (connection) => {
      await note(connection, 1)
      const nested = connection.savepoint(async () => {
        await note(connection, 2)
        await connection.savepoint(() => note(connection, 3))
        await note(connection, 1)
      })
      await expect(nested).rejects.toThrow(ConflictError)
      await connection.savepoint(() => note(connection, 4))
    })
    expect(await notes()).toEqual([1, 4])
  })

  it('that did nothing is undone too', async () => {
    const reason = new Error('no')
    await backend.transaction({}, async (connection) => {
      await expect(connection.savepoint(() => Promise.reject(reason))).rejects.toBe(reason)
      await note(connection, 1)
    })
    expect(await notes()).toEqual([1])
  })
})

describe('a stream', () => {
  beforeEach(async () => {
    const rows = Array.from({ length: 2_500 }, (_, id) => ({ id, text: `note ${id}` }))
    await statements.insert('notes', rows)
  })

  it('reads every row once, in batches, from the snapshot of its beginning', async () => {
    const { statement, parameters } = statements.selecting('notes', { orderBy: { id: 'asc' } })
    const sizes: number[] = []
    const ids: unknown[] = []
    for await (const rows of backend.stream(backend.prepare(statement), parameters)) {
      if (sizes.length === 0) await statements.delete('notes', { where: { id: { gte: 1_500 } } })
      sizes.push(rows.length)
      ids.push(...rows.map(({ id }) => id))
    }
    expect(sizes).toEqual([1_000, 1_000, 500])
    expect(ids).toEqual(Array.from({ length: 2_500 }, (_, id) => id))
  })

  it('left early frees its connection', async () => {
    const few = await database.open(schema, { max: 1 })
    const { statement, parameters } = statements.selecting('notes')
    for (let round = 0; round < 3; round++) {
      for await (const rows of few.stream(few.prepare(statement), parameters)) {
        expect(rows).toHaveLength(1_000)
        break
      }
    }
    await few.ping()
    await few.close()
  })

  it('inside a transaction sees what it wrote, and lets it go on', async () => {
    const { statement, parameters } = statements.selecting('notes', { where: { id: { gte: 2_499 } } })
    const texts = await backend.transaction({}, async (connection) => {
      await note(connection, 9_999)
      const found: unknown[] = []
      for await (const rows of connection.stream(backend.prepare(statement), parameters)) {
        found.push(...rows.map(({ id }) => id))
        await note(connection, 10_000)
      }
      return found
    })
    expect(texts).toEqual([2_499, 9_999])
    expect(await statements.select('notes', { where: { id: 10_000 } })).toHaveLength(1)
  })

  it('that fails says why', async () => {
    const { statement, parameters } = statements.selecting('notes')
    const plan = backend.prepare(statement)
    await database.query('alter table notes rename to renamed')
    const reading = backend.stream(plan, parameters)[Symbol.asyncIterator]().next()
    await expect(reading).rejects.toThrow(StorageError)
    await database.query('alter table renamed rename to notes')
  })
})
