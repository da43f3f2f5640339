import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { type Asked, Statements } from '../../../../../test/statements.ts'
import type { Backend, Plan, Settled } from '../../backend/index.ts'
import { ConflictError, ConstraintError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'

const schema = defineSchema({
  items: table({
    id: t.integer().primaryKey(),
    name: t.text().unique().nullable(),
    data: t.json().nullable(),
    bytes: t.bytes().nullable(),
    at: t.timestamp().nullable(),
    count: t.integer().default(0).check({ lt: 100 }),
  }),
  pairs: table({ left: t.text(), right: t.timestamp(), value: t.real() }, { primaryKey: ['left', 'right'] }),
  counted: table({ id: t.integer().generated().primaryKey(), name: t.text() }),
})

let database: TestDatabase
let backend: Backend
let statements: Statements
const plans = new Map<string, Plan>()

beforeAll(async () => {
  database = await TestDatabase.create()
  backend = await database.open(schema)
  statements = new Statements(backend, schema)
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => database.query('truncate items, pairs, counted restart identity'))

/** As above the port: statements of one shape have one plan. */
function planOf({ statement }: Asked): Plan {
  const key = JSON.stringify(statement)
  const plan = plans.get(key) ?? backend.prepare(statement)
  plans.set(key, plan)
  return plan
}

function together(asked: readonly Asked[], on: Backend = backend): Promise<Settled[]> {
  return on.executeTogether(asked.map((one) => ({ plan: planOf(one), parameters: one.parameters })))
}

function inserting(row: { readonly id: number; readonly [name: string]: unknown }): Asked {
  return statements.inserting('items', [{ name: null, data: null, bytes: null, at: null, count: 0, ...row }])
}

const getting = (id: number) => statements.selecting('items', { where: { id }, fields: { id: 'id', name: 'name' } })

describe('inserts of one tick', () => {
  it('are one statement, and each gives what it would alone', async () => {
    const outcomes = await together([1, 2, 3].map((id) => inserting({ id })))
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ result: { rows: [], count: 1 } })))
    const [{ transactions } = {}] = await database.query(
      'select count(distinct xmin::text)::integer as transactions from items',
    )
    expect(transactions).toBe(1)
  })

  it('keep every kind of value', async () => {
    const rows = [
      {
        id: 1,
        name: 'a "quoted", {braced} \\ back',
        data: { deep: ['"', '\\', null, 1.5] },
        bytes: new Uint8Array([0, 255, 92]),
        at: new Date(1),
        count: -1,
      },
      {
        id: 2,
        name: 'NULL',
        data: 'text',
        bytes: new Uint8Array(),
        at: new Date('0001-01-01T00:00:00.001Z'),
        count: 0,
      },
      { id: 3, name: null, data: null, bytes: null, at: null, count: 99 },
      { id: 4, name: '', data: [], bytes: null, at: new Date('9999-12-31T23:59:59.999Z'), count: 0 },
      { id: 5, name: 'naïve 😀 \n\t', data: false, bytes: null, at: null, count: 0 },
    ]
    await together(rows.map((row) => inserting(row)))
    expect(await statements.select('items')).toEqual(rows)
  })

  it('fail one by one: each bad row has its own error, and all others are written', async () => {
    const rows = Array.from({ length: 64 }, (_, id) => ({ id, name: `n${id}`, count: id === 20 ? 100 : 0 }))
    rows[41] = { id: 40, name: 'other', count: 0 }
    rows[63] = { id: 63, name: 'n3', count: 0 }
    const outcomes = await together(rows.map((row) => inserting(row)))
    const failed = outcomes.flatMap(({ error }, index) => (error === undefined ? [] : [[index, error] as const]))
    expect(failed.map(([index]) => index)).toEqual([20, 41, 63])
    expect(failed[0]?.[1]).toBeInstanceOf(ConstraintError)
    expect(failed[1]?.[1]).toMatchObject({ name: 'ConflictError', fields: ['id'] })
    expect(failed[2]?.[1]).toMatchObject({ name: 'ConflictError', fields: ['name'] })
    expect(await statements.select('items')).toHaveLength(61)
  })

  it('take the time of the database where they are asked to', async () => {
    const outcomes = await together(
      [1, 2].map((id) =>
        statements.inserting('items', [{ id, name: null, data: null, bytes: null, at: id * 1_000, count: 0 }], {
          now: ['at'],
          returning: ['at'],
        }),
      ),
    )
    const [first, second] = outcomes.map(({ result }) => result?.rows[0]?.['at'] as Date)
    expect(Number(second) - Number(first)).toBe(1_000)
  })

  it('of one key twice keep the first', async () => {
    const [first, second] = await together([inserting({ id: 1, name: 'first' }), inserting({ id: 1, name: 'second' })])
    expect(first?.result?.count).toBe(1)
    expect(second?.error).toBeInstanceOf(ConflictError)
    expect(await statements.select('items', { fields: { name: 'name' } })).toEqual([{ name: 'first' }])
  })

  it('give generated keys back to those they belong to', async () => {
    const names = ['a', 'b', 'c', 'd']
    const outcomes = await together(
      names.map((name) => statements.inserting('counted', [{ name }], { returning: ['id', 'name'] })),
    )
    expect(outcomes.map(({ result }) => result?.rows)).toEqual(names.map((name, index) => [{ id: index + 1, name }]))
  })

  it('of several rows each stay together', async () => {
    const asked = [['a', 'b'], ['c'], ['d', 'e', 'f']].map((names) =>
      statements.inserting(
        'counted',
        names.map((name) => ({ name })),
        { returning: ['name'] },
      ),
    )
    const outcomes = await together(asked)
    expect(outcomes.map(({ result }) => result?.rows.map(({ name }) => name))).toEqual([
      ['a', 'b'],
      ['c'],
      ['d', 'e', 'f'],
    ])
    expect(outcomes.map(({ result }) => result?.count)).toEqual([2, 1, 3])
  })
})

describe('reads by key of one tick', () => {
  beforeEach(() =>
    statements.insert(
      'items',
      [1, 2, 3].map((id) => ({ id, name: `n${id}`, data: null, bytes: null, at: null, count: 0 })),
    ),
  )

  it('give each caller its own row, also the same one twice, also none', async () => {
    const outcomes = await together([3, 1, 7, 1].map(getting))
    expect(outcomes.map(({ result }) => result?.rows)).toEqual([
      [{ id: 3, name: 'n3' }],
      [{ id: 1, name: 'n1' }],
      [],
      [{ id: 1, name: 'n1' }],
    ])
    expect(outcomes[0]?.result?.rows[0]).not.toBe(outcomes[1]?.result?.rows[0])
  })

  it('work by any unique fields, with further conditions', async () => {
    const byName = (name: string, count: number) =>
      statements.selecting('items', { where: { name, count }, orderBy: { id: 'asc' }, limit: 1, fields: { id: 'id' } })
    const outcomes = await together([byName('n2', 0), byName('n2', 5), byName('n3', 0)])
    expect(outcomes.map(({ result }) => result?.rows)).toEqual([[{ id: 2 }], [], [{ id: 3 }]])
  })

  it('work by keys of several columns', async () => {
    const at = (ms: number) => new Date(ms)
    await statements.insert('pairs', [
      { left: 'a', right: at(1), value: 1.5 },
      { left: 'a', right: at(2), value: -2 },
      { left: "b'", right: at(1), value: 3 },
    ])
    const byKey = (left: string, right: Date) =>
      statements.selecting('pairs', { where: { left, right }, fields: { value: 'value' } })
    const outcomes = await together([byKey("b'", at(1)), byKey('a', at(2)), byKey('a', at(3))])
    expect(outcomes.map(({ result }) => result?.rows)).toEqual([[{ value: 3 }], [{ value: -2 }], []])
  })

  it('are one statement that uses the index', async () => {
    const asked = getting(1)
    expect(planOf(asked).gathers).toBe(true)
    expect(planOf(statements.selecting('items', { where: { count: 1 } })).gathers).toBe(false)
    expect(planOf(statements.selecting('items', { where: { id: { in: [1] } } })).gathers).toBe(false)
    await database.query(`insert into items (id, count) select id, 0 from generate_series(10, 5000) as id`)
    const one = await database.open(schema, { max: 1 })
    const [found] = await together([asked, getting(2)], one)
    expect(found?.result?.rows).toEqual([{ id: 1, name: 'n1' }])
    const kept = await one.sql?.(`select name from pg_prepared_statements where statement like '%lateral%'`, [])
    expect(kept?.rows).toHaveLength(1)
    const plan = await one.sql?.(`explain execute ${kept?.rows[0]?.['name']} ('{1,2,3,4}')`, [])
    expect(JSON.stringify(plan?.rows)).toContain('items_pkey')
    await one.close()
  })
})

describe('other writes of one tick', () => {
  beforeEach(() =>
    statements.insert(
      'items',
      [1, 2, 3, 4].map((id) => ({ id, name: `n${id}`, data: null, bytes: null, at: null, count: 0 })),
    ),
  )

  const adding = (id: number, n = 1) =>
    statements.updating('items', { count: { $increment: n } }, { where: { id }, returning: ['count'] })

  it('are committed together, in order, and each sees those before it', async () => {
    const outcomes = await together([
      adding(1),
      adding(1),
      adding(9),
      statements.deleting('items', { where: { id: 4 } }),
      inserting({ id: 5 }),
      adding(1, 3),
    ])
    expect(outcomes.map(({ result }) => result)).toEqual([
      { rows: [{ count: 1 }], count: 1 },
      { rows: [{ count: 2 }], count: 1 },
      { rows: [], count: 0 },
      { rows: [], count: 1 },
      { rows: [], count: 1 },
      { rows: [{ count: 5 }], count: 1 },
    ])
  })

  it('fail one by one', async () => {
    const outcomes = await together([adding(1), adding(2, 200), adding(3)])
    expect(outcomes.map(({ result }) => result?.count)).toEqual([1, undefined, 1])
    expect(outcomes[1]?.error).toMatchObject({ name: 'ConstraintError', fields: ['count'] })
  })

  it('are not held up by one that waits for a lock', async () => {
    const holder = await database.connect()
    await holder.query('begin')
    await holder.query('update items set count = 50 where id = 2')
    const held = together([adding(1), adding(2), adding(3)])
    await expect
      .poll(() => database.query('select id::integer from items where count = 1 order by id'))
      .toEqual([{ id: 1 }, { id: 3 }])
    await holder.query('commit')
    expect((await held).map(({ result }) => result?.rows)).toEqual([[{ count: 1 }], [{ count: 51 }], [{ count: 1 }]])
  })

  it('leave no lock timeout behind', async () => {
    const one = await database.open(schema, { max: 1 })
    await together([adding(1), adding(2)], one)
    expect((await one.sql?.('show lock_timeout', []))?.rows).toEqual([{ lock_timeout: '0' }])
    await one.close()
  })

  it('that choose rows run alone', () => {
    const claiming = statements.updating(
      'items',
      { count: 1 },
      { where: { count: 0 }, orderBy: { id: 'asc' }, limit: 1 },
    )
    expect(planOf(claiming).gathers).toBe(false)
  })
})

describe('calls that find no free connection', () => {
  it('gather with those of later ticks', async () => {
    const one = await database.open(schema, { max: 1 })
    const opened = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const holding = one.transaction({}, async (connection) => {
      await connection.sql?.('select 1', [])
      opened.resolve()
      await release.promise
    })
    await opened.promise
    const waiting: Promise<unknown>[] = []
    for (let id = 1; id <= 20; id++) {
      const asked = inserting({ id, name: `n${id % 19}` })
      waiting.push(one.execute(planOf(asked), asked.parameters))
      await Promise.resolve()
    }
    release.resolve()
    await holding
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(19).fill('fulfilled'), 'rejected'])
    expect((outcomes[19] as PromiseRejectedResult).reason).toBeInstanceOf(ConflictError)
    await one.close()
  })
})

describe('an insert of very many rows', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, id) => ({
      id,
      name: `n${id}`,
      data: { id },
      bytes: null,
      at: new Date(id),
      count: 0,
    }))

  it('writes them all, in order', async () => {
    const { count } = await statements.insert('items', many(25_000))
    expect(count).toBe(25_000)
    const rows = await statements.select('items', {
      where: { id: { gte: 24_998 } },
      fields: { name: 'name', data: 'data' },
    })
    expect(rows).toEqual([
      { name: 'n24998', data: { id: 24_998 } },
      { name: 'n24999', data: { id: 24_999 } },
    ])
  })

  it('writes none when the last one is refused', async () => {
    const rows = many(25_000)
    rows[24_999] = { ...(rows[0] as (typeof rows)[0]), name: 'again' }
    await expect(statements.insert('items', rows)).rejects.toThrow(ConflictError)
    expect(await statements.select('items')).toEqual([])
  })

  it('gives generated keys back in order', async () => {
    const rows = Array.from({ length: 12_000 }, (_, index) => ({ name: `n${index}` }))
    const result = await statements.insert('counted', rows, { returning: ['id'] })
    expect(result.rows.map(({ id }) => id)).toEqual(rows.map((_, index) => index + 1))
  })

  it('updates a row that comes twice as often as it comes', async () => {
    const rows = [1, 2, 1].map((id) => ({ id, name: `n${id}`, data: null, bytes: null, at: null, count: 1 }))
    const onConflict = { columns: ['id'], set: { count: { $increment: 10 } } }
    await statements.insert('items', rows, { onConflict })
    expect(await statements.select('items', { orderBy: { id: 'asc' }, fields: { id: 'id', count: 'count' } })).toEqual([
      { id: 1, count: 11 },
      { id: 2, count: 1 },
    ])
  })
})
