import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { documents, resolveModel, t, table } from '../schema/index.ts'
import { compareText, joinedScope, modelScope, readOrderBy, readWhere, Shape } from './index.ts'

const users = resolveModel(
  'users',
  table({
    id: t.integer().primaryKey(),
    name: t.text().nullable(),
    age: t.integer().nullable(),
    meta: t.json(),
    at: t.timestamp(),
  }),
)
const plans = resolveModel('plans', documents())

function read(where: unknown, model = users): { shape: Shape; condition: unknown } {
  const shape = new Shape(model.name)
  return { condition: readWhere(where, modelScope(model), shape), shape }
}

function reasons(where: unknown, model = users): string[] {
  return read(where, model).shape.issues.map(({ path, reason }) => `${path} ${reason}`)
}

describe('a condition', () => {
  it('has one shape for all values, and another for every other form', () => {
    const key = (where: unknown) => read(where).shape.key
    expect(key({ name: 'a', age: { gt: 1 } })).toBe(key({ name: 'b', age: { gt: 2 } }))
    expect(key({ age: { in: [1, 2] } })).toBe(key({ age: { in: [1, 2, 3, 4] } }))
    const forms = [
      { name: 'a' },
      { name: null },
      { name: { ne: 'a' } },
      { name: { in: ['a'] } },
      { name: { in: ['a', null] } },
      { name: { notIn: ['a'] } },
      { not: { name: 'a' } },
      { or: [{ name: 'a' }] },
      { or: [{ name: 'a' }, {}] },
      { and: [{ name: 'a' }, { name: 'a' }] },
      { 'meta.x': 'a' },
      { 'meta.x': 1 },
      { 'meta.x': true },
      { meta: { has: 'a' } },
      { meta: { has: 1 } },
      { 'meta.x': { in: [] } },
      { 'meta.y': { in: [] } },
      { 'meta.x': { in: [null] } },
      { 'meta.y': { in: [null] } },
    ]
    expect(new Set(forms.map(key)).size).toBe(forms.length)
  })

  it('keeps its parameters in the order of the statement', () => {
    const { condition, shape } = read({ age: { gt: 1, lte: 9 }, or: [{ name: 'x' }, { name: { contains: '%' } }] })
    expect(shape.parameters).toEqual([1, 9, 'x', '%'])
    expect(JSON.stringify(condition)).toMatch(/"parameter":0.*"parameter":1.*"parameter":2.*"parameter":3/)
  })

  it('finds null by null alone, and by the complement of everything else', () => {
    expect(read({ name: null }).condition).toMatchObject({ kind: 'null' })
    expect(read({ name: { ne: null } }).condition).toMatchObject({ kind: 'not', condition: { kind: 'null' } })
    expect(read({ name: { ne: 'a' } }).condition).toMatchObject({
      kind: 'not',
      condition: { kind: 'compare', operator: 'eq' },
    })
  })

  it.each<[unknown, string]>([
    [{ nope: 1 }, 'where.nope is not a field of users'],
    [{ age: { above: 1 } }, 'where.age.above is not an operator'],
    [{ age: 'x' }, 'where.age must be a safe integer, got "x"'],
    [{ age: undefined }, 'where.age is undefined'],
    [{ age: { gt: undefined } }, 'where.age.gt is undefined'],
    [{ age: { gt: null } }, 'where.age.gt cannot be null'],
    [{ age: {} }, 'where.age must name an operator'],
    [{ age: { in: 5 } }, 'where.age.in must be a list, got 5'],
    [{ age: { contains: 'x' } }, 'where.age.contains needs a text field'],
    [{ name: { contains: 5 } }, 'where.name.contains must be text, got 5'],
    [{ name: { startsWith: '\0' } }, 'where.name.startsWith must be text without NUL'],
    [{ meta: { eq: { a: 1 } } }, 'where.meta.eq is JSON'],
    [{ 'meta.a': { gt: Number.NaN } }, 'where.meta.a.gt must be a finite number'],
    [{ 'meta.a': 1n }, 'where.meta.a must be text, a number or a boolean, got 1n'],
    [{ 'meta.__proto__': 1 }, 'where.meta.__proto__ is not a field'],
    [{ or: { name: 'a' } }, 'where.or must be a list'],
    [{ or: [5] }, 'where.or.0 must be an object of conditions'],
    [null, 'where must be an object of conditions, got null'],
    ['id = 1', 'where must be an object of conditions'],
    [{ at: 5 }, 'where.at must be a Date, got 5'],
  ])('%o is refused, naming the place', (where, reason) => {
    expect(reasons(where).join('\n')).toContain(reason)
  })

  it('that nests too deep is refused', () => {
    let where: object = { name: 'a' }
    for (let level = 0; level < 10_000; level++) where = { not: where }
    expect(reasons(where)).toEqual(['where must nest at most 64 levels deep'])
  })

  it('reads any JSON without throwing anything but its issues', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(users, plans), (where, model) => {
        expect(() => read(where, model)).not.toThrow()
      }),
    )
  })
})

describe('names of joins', () => {
  it('stand behind the model, and a column of the first model wins', () => {
    const orders = resolveModel('orders', table({ id: t.id(), total: t.real() }))
    const scope = joinedScope(users, [{ name: 'orders', model: orders }])
    expect(scope.resolve('orders.total')?.field).toEqual({ source: 1, column: 'total', path: [] })
    expect(scope.resolve('name')?.field).toEqual({ source: 0, column: 'name', path: [] })
    expect(scope.resolve('orders.nope')).toBeNull()
    expect(joinedScope(users, [{ name: 'meta', model: orders }]).resolve('meta.total')?.field).toEqual({
      source: 0,
      column: 'meta',
      path: ['total'],
    })
  })
})

describe('an ordering', () => {
  it('ends with the key, once', () => {
    const shape = new Shape('users')
    const key = [{ source: 0, column: 'id', path: [] }]
    const columns = (orderBy: unknown) =>
      readOrderBy(orderBy, modelScope(users), shape, key).map(({ field }) => field.column)
    expect(columns({ name: 'asc' })).toEqual(['name', 'id'])
    expect(columns([{ id: 'desc' }, { name: 'asc' }])).toEqual(['id', 'name'])
    expect(columns(undefined)).toEqual(['id'])
  })
})

describe('text', () => {
  it('is compared by code point', () => {
    const byBytes = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const edges = fc.constantFrom('a', '\u00E9', '\uD7FF', '\uE000', '\uFB01', '\u{1F600}', '\u{10FFFF}')
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: edges }))
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(byBytes(a, b))
      }),
      { numRuns: 500 },
    )
    expect(compareText('\u{1F600}', '\uFB01')).toBeGreaterThan(0)
  })
})
