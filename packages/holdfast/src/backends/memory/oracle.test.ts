import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Statements } from '../../../../../test/statements.ts'
import type { Row } from '../../backend/index.ts'
import { ConflictError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { accessOf } from '../../statement/index.ts'
import { memory } from './index.ts'

/** What the backend does with indexes, a list and a filter must do without. */
const schema = defineSchema({
  items: table(
    {
      id: t.integer().primaryKey(),
      team: t.text().nullable(),
      rank: t.integer().nullable(),
      at: t.timestamp(),
      code: t.text().nullable().unique(),
      data: t.json().nullable(),
    },
    { indexes: ['rank', ['team', 'rank'], ['team', 'at', 'rank'], 'data.x', ['team', 'data.x']] },
  ),
})

const team = fc.constantFrom('a', 'b', 'c', '\u{1F600}', '\uFB01', null)
const rank = fc.option(fc.integer({ min: -3, max: 3 }))
const at = fc.integer({ min: 0, max: 5 }).map((ms) => new Date(ms))
const x = fc.constantFrom<unknown>(undefined, null, true, false, -1, 0, 2, '', 'a', 'b', [1], { y: 1 })
const data = fc.option(x.map((value) => (value === undefined ? {} : { x: value })))
const item = fc.record({
  id: fc.integer({ min: 0, max: 200 }),
  team,
  rank,
  at,
  code: fc.option(fc.constantFrom('p', 'q', 'r', 's', 't', 'u')),
  data,
})

const scalar = fc.constantFrom<unknown>(true, false, -1, 0, 2, '', 'a', 'b')
const operator = fc.constantFrom('gt', 'gte', 'lt', 'lte')
const leaf: fc.Arbitrary<object> = fc.oneof(
  fc.record({ id: fc.integer({ min: 0, max: 60 }) }),
  fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 6 }).map((list) => ({ id: { in: list } })),
  team.map((value) => ({ team: value })),
  fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }).map((list) => ({ team: { in: list } })),
  rank.map((value) => ({ rank: value })),
  fc.tuple(operator, fc.integer({ min: -3, max: 3 })).map(([name, value]) => ({ rank: { [name]: value } })),
  fc.tuple(operator, operator, at, at).map(([one, two, low, high]) => ({ at: { [one]: low, [two]: high } })),
  fc.tuple(operator, fc.constantFrom('a', 'b', '\uFB01')).map(([name, value]) => ({ team: { [name]: value } })),
  fc.constantFrom('p', 'q', null).map((value) => ({ code: value })),
  fc.oneof(scalar, fc.constant(null)).map((value) => ({ 'data.x': value })),
  fc.tuple(operator, scalar).map(([name, value]) => ({ 'data.x': { [name]: value } })),
  fc.array(scalar, { maxLength: 4 }).map((list) => ({ 'data.x': { in: list } })),
)
const where: fc.Arbitrary<object> = fc.oneof(
  { weight: 3, arbitrary: leaf },
  { weight: 4, arbitrary: fc.array(leaf, { minLength: 1, maxLength: 4 }).map((and) => ({ and })) },
  { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }).map((or) => ({ or })) },
  { weight: 1, arbitrary: leaf.map((not) => ({ not })) },
)
const direction = fc.constantFrom('asc', 'desc')
const orderBy = fc
  .uniqueArray(fc.constantFrom('id', 'team', 'rank', 'at', 'code', 'data.x'), { maxLength: 3 })
  .chain((names) => fc.tuple(...names.map((name) => direction.map((way) => ({ [name]: way })))))
const query = fc.record({
  where: fc.option(where, { nil: undefined }),
  orderBy: fc.option(orderBy, { nil: undefined }),
  limit: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
})

describe('the memory backend', () => {
  it('finds what a list and a filter find, in the same order, by whatever index', async () => {
    const kinds = new Set<string>()
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(item, { maxLength: 150, size: 'max', selector: ({ id }) => id }),
        fc.array(query, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 3 }),
        async (items, queries, offset) => {
          const { db, model } = await open()
          for (const row of items) await insert(db, model, row)
          for (const asked of queries) {
            const chosen = { ...clean(asked), offset }
            const { statement } = db.selecting('items', chosen)
            if (statement.kind === 'select') kinds.add(accessOf(statement, schema.models).kind)
            expectSame(
              await db.select('items', chosen),
              model.find({ ...asked, limit: undefined }).slice(offset, offset + (asked.limit ?? 1000)),
              asked,
            )
          }
        },
      ),
      { numRuns: 200 },
    )
    expect([...kinds].sort()).toEqual(['index', 'key', 'scan', 'unique'])
  })

  it('pages through everything once, in any order, wherever a page ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(item, { maxLength: 40, size: 'max', selector: ({ id }) => id }),
        fc.record({ where: fc.option(where, { nil: undefined }), orderBy }),
        fc.integer({ min: 1, max: 7 }),
        async (items, asked, size) => {
          const { db, model } = await open()
          for (const row of items) await insert(db, model, row)
          const expected = model.find(asked)
          const seen: Row[] = []
          for (let last: Row | undefined; ; ) {
            const page = await db.select('items', { ...clean(asked), limit: size, ...(last && { after: last }) })
            seen.push(...page)
            last = page.at(-1)
            if (last === undefined || seen.length > expected.length) break
          }
          expectSame(seen, expected, asked)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('changes and removes what a list would, and nothing of a statement that fails', async () => {
    const change = fc.record({ team, rank, data })
    const write = fc.oneof(
      fc.record({ what: fc.constant('insert' as const), rows: fc.array(item, { minLength: 1, maxLength: 4 }) }),
      fc.record({ what: fc.constant('update' as const), asked: query, change }),
      fc.record({ what: fc.constant('move' as const), asked: query, by: fc.integer({ min: -2, max: 2 }) }),
      fc.record({ what: fc.constant('delete' as const), asked: query }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 25, size: 'max' }), query, async (writes, asked) => {
        const { db, model } = await open()
        for (const one of writes) {
          if (one.what === 'insert') {
            const done = await db.insert('items', one.rows).then(
              () => true,
              (error) => refused(error),
            )
            expect(done).toBe(model.insert(one.rows))
          } else if (one.what === 'move') {
            const set = { id: { $increment: one.by } }
            const done = await db.update('items', set, clean(one.asked)).then(
              () => true,
              (error) => refused(error),
            )
            expect(done).toBe(model.update(one.asked, ({ id }) => ({ id: (id as number) + one.by })))
          } else if (one.what === 'update') {
            const { count } = await db.update('items', one.change, clean(one.asked))
            expect(count).toBe(model.find(one.asked).length)
            model.update(one.asked, () => one.change)
          } else {
            const { rows } = await db.delete('items', { ...clean(one.asked), returning: ['id'] })
            expect(rows.map(({ id }) => id).sort()).toEqual(
              model
                .delete(one.asked)
                .map(({ id }) => id)
                .sort(),
            )
          }
        }
        expectSame(
          await db.select('items', { orderBy: { id: 'asc' } }),
          model.find({ orderBy: [{ id: 'asc' }] }),
          'all',
        )
        expectSame(await db.select('items', clean(asked)), model.find(asked), asked)
      }),
      { numRuns: 400 },
    )
  })
})

function refused(error: unknown): false {
  expect(error).toBeInstanceOf(ConflictError)
  return false
}

async function open(): Promise<{ db: Statements; model: List }> {
  const db = new Statements(memory()({ models: schema.models }), schema)
  await db.create()
  return { db, model: new List() }
}

async function insert(db: Statements, model: List, row: Row): Promise<void> {
  if (model.insert([row])) await db.insert('items', [row])
}

/** Without members that are undefined; an ordering is always given, so that a limit has a meaning. */
function clean({ where, orderBy = [{ id: 'asc' }], limit }: Asking) {
  return { orderBy, ...(where !== undefined && { where }), ...(limit !== undefined && { limit }) }
}

function expectSame(actual: readonly Row[], expected: readonly Row[], asked: unknown): void {
  expect(actual, JSON.stringify(asked)).toEqual(expected)
}

interface Asking {
  readonly where?: object | undefined
  readonly orderBy?: readonly object[] | undefined
  readonly limit?: number | undefined
}

/** The rules, told a second time in the plainest way: a list of rows, filtered and sorted. */
class List {
  rows: Row[] = []

  find({ where, orderBy = [], limit }: Asking): Row[] {
    const keys: [string, string][] = [...orderBy.flatMap((step) => Object.entries(step)), ['id', 'asc']]
    const found = this.rows
      .filter((row) => where === undefined || holds(where, row))
      .sort((left, right) => {
        for (const [name, way] of keys) {
          const difference = compare(read(left, name), read(right, name))
          if (difference !== 0) return way === 'asc' ? difference : -difference
        }
        return 0
      })
    return limit === undefined ? found : found.slice(0, limit)
  }

  insert(rows: readonly Row[]): boolean {
    return this.#put([...this.rows, ...rows])
  }

  update(asked: Asking, change: (row: Row) => Row): boolean {
    const found = new Set(this.find(asked))
    return this.#put(this.rows.map((row) => (found.has(row) ? { ...row, ...change(row) } : row)))
  }

  delete(asked: Asking): Row[] {
    const found = this.find(asked)
    this.rows = this.rows.filter((row) => !found.includes(row))
    return found
  }

  #put(rows: Row[]): boolean {
    const codes = rows.map(({ code }) => code).filter((code) => code !== null)
    const valid = new Set(rows.map(({ id }) => id)).size === rows.length && new Set(codes).size === codes.length
    if (valid) this.rows = rows
    return valid
  }
}

function read(row: Row, name: string): unknown {
  if (name !== 'data.x') return row[name]
  return (row['data'] as { x?: unknown } | null)?.x ?? null
}

function holds(where: object, row: Row): boolean {
  return Object.entries(where).every(([name, filter]) => {
    if (name === 'and') return (filter as object[]).every((inner) => holds(inner, row))
    if (name === 'or') return (filter as object[]).some((inner) => holds(inner, row))
    if (name === 'not') return !holds(filter as object, row)
    const value = read(row, name)
    if (filter === null || typeof filter !== 'object' || filter instanceof Date) return isSame(value, filter)
    return Object.entries(filter as object).every(([operator, operand]) => meets(value, operator, operand))
  })
}

function meets(value: unknown, operator: string, operand: unknown): boolean {
  if (operator === 'in') return (operand as unknown[]).some((element) => isSame(value, element))
  if (value === null || rankOf(value) !== rankOf(operand)) return false
  const difference = compare(value, operand)
  return { gt: difference > 0, gte: difference >= 0, lt: difference < 0, lte: difference <= 0 }[operator] as boolean
}

function isSame(left: unknown, right: unknown): boolean {
  return rankOf(left) === rankOf(right) && compare(left, right) === 0 && rankOf(left) !== 4
}

function compare(left: unknown, right: unknown): number {
  const difference = rankOf(left) - rankOf(right)
  if (difference !== 0) return difference
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right as string))
  return rankOf(left) === 4 || left === null ? 0 : Number(left) - Number(right)
}

function rankOf(value: unknown): number {
  if (value === null) return 0
  if (value instanceof Date) return 2
  return { boolean: 1, number: 2, string: 3 }[typeof value as string] ?? 4
}
