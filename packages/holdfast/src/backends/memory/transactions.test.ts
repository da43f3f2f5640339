import { beforeEach, describe, expect, it } from 'vitest'
import { Statements } from '../../../../../test/statements.ts'
import type { Connection } from '../../backend/index.ts'
import { defineSchema, resolveModel, t, table } from '../../schema/index.ts'
import { memory } from './index.ts'

const schema = defineSchema({
  counters: table({ id: t.integer().primaryKey(), value: t.integer() }),
  others: table({ id: t.integer().primaryKey().generated() }),
})

let db: Statements

beforeEach(async () => {
  db = new Statements(memory()({ models: schema.models }), schema)
  await db.create()
  await db.insert('counters', [
    { id: 1, value: 10 },
    { id: 2, value: 20 },
  ])
})

async function values(on?: Connection): Promise<unknown[]> {
  return (await db.select('counters', { orderBy: { id: 'asc' } }, on)).map(({ value }) => value)
}

/** A transaction that stands still until `finish` is called. */
async function held(work: (connection: Connection) => Promise<unknown>, options = {}) {
  const { promise: gate, resolve: open, reject: fail } = Promise.withResolvers<void>()
  const { promise: reached, resolve: arrive } = Promise.withResolvers<void>()
  const done = db.backend.transaction(options, async (connection) => {
    await work(connection)
    arrive()
    await gate
  })
  await Promise.race([reached, done])
  return {
    finish() {
      open()
      return done
    },
    abort(error: Error) {
      fail(error)
      return done
    },
  }
}

describe('a transaction', () => {
  it('is not seen from outside before it commits, while it sees its own writes; readers never wait', async () => {
    const { finish } = await held(async (connection) => {
      await db.update('counters', { value: 11 }, { where: { id: 1 } }, connection)
      await db.insert('counters', [{ id: 3, value: 30 }], {}, connection)
      expect(await values(connection)).toEqual([11, 20, 30])
    })
    expect(await values()).toEqual([10, 20])
    await finish()
    expect(await values()).toEqual([11, 20, 30])
  })

  it('leaves nothing when its work rejects, and rejects with the same reason', async () => {
    const reason = new Error('no')
    const { abort } = await held((connection) => db.delete('counters', {}, connection))
    await expect(abort(reason)).rejects.toBe(reason)
    expect(await values()).toEqual([10, 20])
  })

  it('lets writers in one after the other, in the order in which they came', async () => {
    const { finish } = await held(async () => undefined)
    const states: unknown[] = []
    const look = (connection: Connection) => values(connection).then((state) => states.push(state))
    const waiting = [
      db.update('counters', { value: { $increment: 1 } }),
      db.backend.transaction({}, look),
      db.insert('counters', [{ id: 3, value: 0 }]),
      db.backend.transaction({}, look),
    ]
    expect(await values()).toEqual([10, 20])
    await Promise.all([finish(), ...waiting])
    expect(states).toEqual([
      [11, 21],
      [11, 21, 0],
    ])
  })

  it('loses no increment that transactions make from what they read', async () => {
    const increment = () =>
      db.backend.transaction({}, async (connection) => {
        const [row] = await db.select('counters', { where: { id: 1 } }, connection)
        await Promise.resolve()
        await db.update('counters', { value: (row?.['value'] as number) + 1 }, { where: { id: 1 } }, connection)
      })
    await Promise.all(Array.from({ length: 50 }, increment))
    expect(await values()).toEqual([60, 20])
  })

  it('goes on after a statement that failed, which left nothing', async () => {
    await db.backend.transaction({}, async (connection) => {
      const failed = db.insert(
        'counters',
        [
          { id: 3, value: 1 },
          { id: 1, value: 1 },
        ],
        {},
        connection,
      )
      await expect(failed).rejects.toMatchObject({ code: 'CONFLICT_UNIQUE' })
      expect(await values(connection)).toEqual([10, 20])
      await db.insert('counters', [{ id: 3, value: 1 }], {}, connection)
    })
    expect(await values()).toEqual([10, 20, 1])
  })

  it('is rolled back at its time limit, and can do nothing more', async () => {
    const { promise: rolledBack, resolve } = Promise.withResolvers<void>()
    const { promise: late, resolve: tellLate } = Promise.withResolvers<unknown>()
    const done = db.backend.transaction({ timeoutMs: 5 }, async (connection) => {
      await db.delete('counters', {}, connection)
      await rolledBack
      tellLate(await db.insert('counters', [{ id: 9, value: 9 }], {}, connection).catch((error) => error))
    })
    await expect(done).rejects.toMatchObject({ code: 'TIMEOUT' })
    await db.insert('counters', [{ id: 3, value: 30 }])
    resolve()
    expect(await late).toMatchObject({ code: 'TIMEOUT' })
    expect(await values()).toEqual([10, 20, 30])
  })

  it('gives up its place when its time is over before its turn came', async () => {
    const { finish } = await held(async () => undefined)
    await expect(db.backend.transaction({ timeoutMs: 1 }, async () => 'never')).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    const next = db.backend.transaction({}, async () => 'next')
    await finish()
    expect(await next).toBe('next')
  })

  it('refuses calls after its end', async () => {
    const connection = await db.backend.transaction({}, async (given) => given)
    await expect(values(connection)).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
  })

  it('does not use up generated keys when it is rolled back', async () => {
    const work = (connection: Connection) => db.insert('others', [{}], { returning: ['id'] }, connection)
    const failed = db.backend.transaction({}, async (connection) => {
      expect(await work(connection)).toMatchObject({ rows: [{ id: 1 }] })
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await db.backend.transaction({}, work)).toMatchObject({ rows: [{ id: 1 }] })
  })
})

describe('a read-only transaction', () => {
  it('sees one state from start to end, does not wait, and refuses writes', async () => {
    const writer = await held((connection) => db.update('counters', { value: 0 }, {}, connection))
    const { promise: written, resolve } = Promise.withResolvers<void>()
    const reader = db.backend.transaction({ readOnly: true }, async (connection) => {
      const before = await values(connection)
      await written
      await expect(db.delete('counters', {}, connection)).rejects.toMatchObject({ code: 'READ_ONLY' })
      await expect(connection.schema?.apply([{ kind: 'dropTable', table: 'counters' }])).rejects.toMatchObject({
        code: 'READ_ONLY',
      })
      expect(await connection.savepoint(() => values(connection))).toEqual(before)
      return before
    })
    await writer.finish()
    await db.insert('counters', [{ id: 3, value: 3 }])
    resolve()
    expect(await reader).toEqual([10, 20])
  })
})

describe('a savepoint', () => {
  it('can be undone alone, and nested', async () => {
    await db.backend.transaction({}, async (connection) => {
      const set = (value: number) => db.update('counters', { value }, { where: { id: 1 } }, connection)
      await set(1)
      await connection.savepoint(async () => {
        await set(2)
        await expect(
          connection.savepoint(async () => {
            await set(3)
            throw new Error('inner')
          }),
        ).rejects.toThrow('inner')
        expect(await values(connection)).toEqual([2, 20])
      })
      const outer = connection.savepoint(async () => {
        await connection.savepoint(() => set(4))
        await db.insert('others', [{}], {}, connection)
        throw new Error('outer')
      })
      await expect(outer).rejects.toThrow('outer')
      expect(await values(connection)).toEqual([2, 20])
      expect(await db.select('others', {}, connection)).toEqual([])
    })
    expect(await values()).toEqual([2, 20])
  })
})

describe('a stream', () => {
  it('gives one state in batches, whatever is written meanwhile', async () => {
    await db.delete('counters')
    await db.insert(
      'counters',
      Array.from({ length: 2500 }, (_, id) => ({ id, value: id })),
    )
    const asked = db.selecting('counters', { orderBy: { id: 'desc' } })
    const sizes: number[] = []
    const seen: unknown[] = []
    for await (const batch of db.backend.stream(db.backend.prepare(asked.statement), asked.parameters)) {
      sizes.push(batch.length)
      seen.push(...batch.map(({ id }) => id))
      await db.delete('counters', { where: { id: { lt: 1000 } } })
      await db.insert('counters', [{ id: 10_000 + sizes.length, value: 0 }])
    }
    expect(sizes).toEqual([1000, 1000, 500])
    expect(seen).toEqual(Array.from({ length: 2500 }, (_, index) => 2499 - index))
  })

  it('of a transaction sees its writes, and can be left early', async () => {
    await db.backend.transaction({}, async (connection) => {
      await db.update('counters', { value: 7 }, {}, connection)
      const asked = db.selecting('counters')
      for await (const batch of connection.stream(db.backend.prepare(asked.statement), asked.parameters)) {
        expect(batch.map(({ value }) => value)).toEqual([7, 7])
        break
      }
    })
  })
})

describe('the schema', () => {
  const model = resolveModel('extra', table({ id: t.integer().primaryKey(), name: t.text().unique() }))

  it('is described by the names of the database and the types of the schema', async () => {
    const [counters] = await db.backend.schema.inspect()
    expect(counters).toEqual(db.backend.schema.expected(db.model('counters')))
    expect(db.backend.schema.expected(model)).toEqual({
      name: 'extra',
      columns: [
        { name: 'id', type: 'integer', nullable: false },
        { name: 'name', type: 'text', nullable: false },
      ],
      primaryKey: ['id'],
      indexes: [{ name: 'extra_name_unique', unique: true }],
    })
  })

  it('changes in a transaction and rolls back with it', async () => {
    const names = async () => (await db.backend.schema.inspect()).map(({ name }) => name)
    const { abort } = await held(async (connection) => {
      await connection.schema?.apply([
        { kind: 'createTable', model },
        { kind: 'dropTable', table: 'counters' },
      ])
      await expect(values(connection)).rejects.toMatchObject({ code: 'DRIVER' })
    })
    expect(await names()).toEqual(['counters', 'others'])
    await expect(abort(new Error('no'))).rejects.toThrow('no')
    expect(await values()).toEqual([10, 20])
    await db.backend.schema.apply([
      { kind: 'createTable', model },
      { kind: 'createTable', model },
    ])
    expect(await names()).toEqual(['counters', 'others', 'extra'])
  })

  it('adds an index to rows that are there, and refuses a unique one that they break', async () => {
    const indexed = resolveModel('counters', table({ id: t.integer().primaryKey(), value: t.integer().unique() }))
    const [index] = indexed.indexes
    await db.insert('counters', [{ id: 3, value: 10 }])
    const change = { kind: 'createIndex', model: indexed, index: index?.name as string } as const
    await expect(db.backend.schema.apply([change])).rejects.toMatchObject({
      code: 'CONFLICT_UNIQUE',
      fields: ['value'],
    })
    await db.delete('counters', { where: { id: 3 } })
    await db.backend.schema.apply([change])
    await expect(db.insert('counters', [{ id: 3, value: 10 }])).rejects.toMatchObject({ fields: ['value'] })
    expect((await db.backend.schema.inspect())[0]?.indexes).toEqual([{ name: 'counters_value_unique', unique: true }])
  })
})

describe('the backend', () => {
  it('lets what runs finish before it closes, and refuses everything after', async () => {
    const { finish } = await held((connection) => db.update('counters', { value: 1 }, {}, connection))
    const waiting = db.update('counters', { value: 2 })
    const closing = db.backend.close()
    await expect(values()).rejects.toMatchObject({ code: 'CLOSED' })
    await finish()
    await waiting
    await closing
    await expect(db.backend.ping()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(db.backend.transaction({}, async () => 1)).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('gives each of several calls its own outcome', async () => {
    const good = db.inserting('counters', [{ id: 3, value: 1 }])
    const calls = [good, good].map(({ statement, parameters }) => ({ plan: db.backend.prepare(statement), parameters }))
    const [first, second] = await db.backend.executeTogether(calls)
    expect(first?.result?.count).toBe(1)
    expect(second?.error).toMatchObject({ code: 'CONFLICT_UNIQUE' })
  })

  it('wakes those who listen to a topic, and only while they do', async () => {
    const woken: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const unsubscribe = await db.backend.wake?.('jobs', () => woken.push('one'))
    await db.backend.wake?.('jobs', resolve)
    await db.backend.wake?.('mail', () => woken.push('other'))
    await db.backend.notify?.('jobs')
    await promise
    await unsubscribe?.()
    await db.backend.notify?.('jobs')
    await Promise.resolve()
    expect(woken).toEqual(['one'])
  })
})
