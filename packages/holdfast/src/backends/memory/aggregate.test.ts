import { beforeEach, describe, expect, it } from 'vitest'
import { Statements } from '../../../../../test/statements.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'
import type { AggregateFunction, DateUnit, Output } from '../../statement/index.ts'
import { memory } from './index.ts'

const schema = defineSchema({
  sales: table({
    id: t.integer().primaryKey(),
    team: t.text().nullable(),
    amount: t.integer().nullable(),
    big: t.bigint().nullable(),
    price: t.decimal(12, 2).nullable(),
    ratio: t.real().nullable(),
    at: t.timestamp().nullable(),
  }),
  notes: documents(),
})

let db: Statements

beforeEach(async () => {
  db = new Statements(memory()({ models: schema.models }), schema)
  await db.create()
})

const empty = { team: null, amount: null, big: null, price: null, ratio: null, at: null }

async function aggregate(called: AggregateFunction, name?: string, model = 'sales'): Promise<unknown> {
  const outputs = (field: (name: string) => Extract<Output, { kind: 'field' }>['field']): Output[] => [
    { kind: 'aggregate', name: 'value', function: called, ...(name !== undefined && { field: field(name) }) },
  ]
  const [row] = await db.select(model, { groupBy: [], outputs })
  return row?.['value']
}

describe('aggregates', () => {
  it('over nothing are 0 for counts and null for the others', async () => {
    expect(await aggregate('count')).toBe(0)
    expect(await aggregate('count', 'amount')).toBe(0)
    expect(await aggregate('countDistinct', 'amount')).toBe(0)
    for (const called of ['sum', 'avg', 'min', 'max'] as const) expect(await aggregate(called, 'amount')).toBeNull()
    await db.insert('sales', [{ id: 1, ...empty }])
    expect(await aggregate('count')).toBe(1)
    expect(await aggregate('sum', 'amount')).toBeNull()
  })

  it('give the types that the rules name', async () => {
    await db.insert('sales', [
      { ...empty, id: 1, amount: 3, big: 2n, price: '1.10', ratio: 0.5, at: new Date(1), team: 'a' },
      { ...empty, id: 2, amount: 4, big: 2n ** 62n, price: '2.20', ratio: 0.25, at: new Date(2), team: 'b' },
      { ...empty, id: 3, amount: 3 },
    ])
    expect(await aggregate('sum', 'amount')).toBe(10)
    expect(await aggregate('sum', 'big')).toBe(2n ** 62n + 2n)
    expect(await aggregate('sum', 'price')).toBe('3.30')
    expect(await aggregate('sum', 'ratio')).toBe(0.75)
    expect(await aggregate('avg', 'price')).toBeCloseTo(1.65)
    expect(await aggregate('avg', 'amount')).toBeCloseTo(10 / 3)
    expect(await aggregate('min', 'at')).toEqual(new Date(1))
    expect(await aggregate('max', 'price')).toBe('2.20')
    expect(await aggregate('max', 'team')).toBe('b')
    expect(await aggregate('countDistinct', 'amount')).toBe(2)
  })

  it('refuse a sum that its type cannot hold, but not one that only passes through', async () => {
    const most = Number.MAX_SAFE_INTEGER
    await db.insert('sales', [
      { ...empty, id: 1, amount: most, big: 2n ** 63n - 1n },
      { ...empty, id: 2, amount: most, big: 1n },
    ])
    await expect(aggregate('sum', 'amount')).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path: 'value' }] })
    await expect(aggregate('sum', 'big')).rejects.toMatchObject({ code: 'VALIDATION' })
    await db.insert('sales', [{ ...empty, id: 3, amount: -most, big: -1n }])
    expect(await aggregate('sum', 'amount')).toBe(most)
    expect(await aggregate('sum', 'big')).toBe(2n ** 63n - 1n)
  })

  it('at a JSON path add numbers only', async () => {
    const now = new Date()
    const values = [1, 2.5, '7', null, true, [3]]
    await db.insert(
      'notes',
      values.map((cost, index) => ({ id: `n${index}`, data: { cost }, version: 1, createdAt: now, updatedAt: now })),
    )
    expect(await aggregate('sum', 'cost', 'notes')).toBe(3.5)
    expect(await aggregate('avg', 'cost', 'notes')).toBe(1.75)
    expect(await aggregate('count', 'cost', 'notes')).toBe(5)
  })
})

describe('groups', () => {
  it('have one for null, an order, and a condition on their results', async () => {
    await db.insert('sales', [
      { ...empty, id: 1, team: 'a', amount: 1 },
      { ...empty, id: 2, team: null, amount: 2 },
      { ...empty, id: 3, team: 'a', amount: 5 },
      { ...empty, id: 4, team: null, amount: 7 },
      { ...empty, id: 5, team: 'b', amount: 1 },
    ])
    const asked = {
      groupBy: ['team'],
      outputs: (field: (name: string) => Extract<Output, { kind: 'field' }>['field']): Output[] => [
        { kind: 'field', name: 'team', field: field('team') },
        { kind: 'aggregate', name: 'total', function: 'sum', field: field('amount') },
      ],
    }
    const orderBy = { total: 'desc' }
    expect(await db.select('sales', { ...asked, orderBy })).toEqual([
      { team: null, total: 9 },
      { team: 'a', total: 6 },
      { team: 'b', total: 1 },
    ])
    expect(
      await db.select('sales', {
        ...asked,
        orderBy,
        limit: 1,
        offset: 1,
        having: (shape) => ({
          kind: 'compare',
          field: { source: 'output', column: 'total', path: [] },
          operator: 'gt',
          operand: { kind: 'parameter', parameter: shape.add(1) },
        }),
      }),
    ).toEqual([{ team: 'a', total: 6 }])
  })

  it('truncate times in UTC, weeks from Monday, before 1970 too', async () => {
    const at = new Date('2024-02-29T23:59:59.999Z')
    await db.insert('sales', [
      { ...empty, id: 1, at },
      { ...empty, id: 2, at: new Date('1969-12-31T12:34:56.789Z') },
    ])
    const truncated = async (unit: DateUnit) =>
      db.select('sales', {
        orderBy: { id: 'asc' },
        outputs: (field) => [{ kind: 'dateTrunc', name: 'at', unit, field: field('at') }],
      })
    const expected: Record<DateUnit, [string, string]> = {
      minute: ['2024-02-29T23:59:00.000Z', '1969-12-31T12:34:00.000Z'],
      hour: ['2024-02-29T23:00:00.000Z', '1969-12-31T12:00:00.000Z'],
      day: ['2024-02-29T00:00:00.000Z', '1969-12-31T00:00:00.000Z'],
      week: ['2024-02-26T00:00:00.000Z', '1969-12-29T00:00:00.000Z'],
      month: ['2024-02-01T00:00:00.000Z', '1969-12-01T00:00:00.000Z'],
      quarter: ['2024-01-01T00:00:00.000Z', '1969-10-01T00:00:00.000Z'],
      year: ['2024-01-01T00:00:00.000Z', '1969-01-01T00:00:00.000Z'],
    }
    for (const [unit, starts] of Object.entries(expected)) {
      expect(await truncated(unit as DateUnit), unit).toEqual(starts.map((start) => ({ at: new Date(start) })))
    }
  })
})
