import { expect, it, describe as suite } from 'vitest'
import type { Issue } from '../base/errors.ts'
import { acceptorOf } from './accept.ts'
import type { ColumnType } from './column.ts'
import { MAX_JSON_DEPTH } from './json.ts'

function accept(
  type: ColumnType,
  value: unknown,
  rest: object = {},
): { readonly value: unknown; readonly issues: Issue[] } {
  const issues: Issue[] = []
  return { value: acceptorOf({ type, ...rest })(value, 'field', issues), issues }
}

suite('what is stored', () => {
  it.each<[ColumnType, unknown, unknown, object?]>([
    ['integer', -0, 0],
    ['integer', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['real', -0, 0],
    ['real', 5e-324, 5e-324],
    ['bigint', 2n ** 63n - 1n, 2n ** 63n - 1n],
    ['uuid', '0190F5C3-0000-7000-8000-00000000ABCD', '0190f5c3-0000-7000-8000-00000000abcd'],
    ['decimal', '1.5', '1.50', { precision: 5, scale: 2 }],
    ['decimal', '007', '7.00', { precision: 5, scale: 2 }],
    ['decimal', '-0.00', '0.00', { precision: 5, scale: 2 }],
    ['date', '2024-02-29', '2024-02-29'],
    ['json', { a: undefined, b: [-0, null] }, { b: [0, null] }],
  ])('keeps %s %s as %s', (type, given, stored, rest) => {
    const { value, issues } = accept(type, given, rest)
    expect(issues).toEqual([])
    expect(value).toStrictEqual(stored)
  })

  it('is a copy, so that changing what was given changes nothing', () => {
    const given = { list: [1] }
    const { value } = accept('json', given)
    given.list.push(2)
    expect(value).toEqual({ list: [1] })
    const bytes = new Uint8Array([1])
    const stored = accept('bytes', bytes).value
    bytes[0] = 9
    expect(stored).toEqual(new Uint8Array([1]))
  })
})

suite('what is refused, with a reason that names it', () => {
  it.each<[ColumnType, unknown, string, object?]>([
    ['text', 'a\0b', 'NUL'],
    ['text', '\ud800', 'surrogate'],
    ['text', 7, 'must be text, got 7'],
    ['integer', 1.5, 'safe integer, got 1.5'],
    ['integer', 2 ** 53, 'safe integer'],
    ['integer', '1', 'got "1"'],
    ['bigint', 2n ** 63n, '64 bits'],
    ['real', Number.NaN, 'finite'],
    ['real', Number.POSITIVE_INFINITY, 'finite'],
    ['boolean', 1, 'true or false'],
    ['timestamp', new Date(Number.NaN), 'an invalid Date'],
    ['timestamp', new Date(Date.UTC(10_000, 0)), 'years 1 to 9999'],
    ['timestamp', '2024-01-01', 'must be a Date'],
    ['date', '2023-02-29', 'a day such as'],
    ['uuid', 'x', 'UUID'],
    ['bytes', [1, 2], 'Uint8Array'],
    ['decimal', '1234.5', 'at most 3 digits before', { precision: 5, scale: 2 }],
    ['decimal', '1.234', '2 after the point', { precision: 5, scale: 2 }],
    ['decimal', '1e5', 'number as text', { precision: 5, scale: 2 }],
    ['enum', 'c', '"a", "b"', { values: ['a', 'b'] }],
    ['json', { when: new Date(0) }, 'toISOString'],
    ['json', { n: 1n }, 'got a bigint'],
    ['json', { list: [Number.NaN] }, 'finite'],
    ['json', JSON.parse('{"__proto__": 1}'), 'not allowed as a name'],
    ['json', new Map(), 'got a Map'],
  ])('%s %s', (type, given, reason, rest) => {
    const { issues } = accept(type, given, rest)
    expect(issues).toHaveLength(1)
    expect(issues[0]?.reason).toContain(reason)
    expect(issues[0]?.path).toMatch(/^field/)
  })

  it('JSON that nests too deep, or in a cycle, without overflowing the stack', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = { deep }
    expect(accept('json', deep).issues[0]?.reason).toContain(`at most ${MAX_JSON_DEPTH} levels`)
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    expect(accept('json', [{ cycle }]).issues).toEqual([
      { path: 'field.0.cycle.self', reason: 'must not hold what it lies in' },
    ])
    const twice = { n: 1 }
    expect(accept('json', [twice, { twice }]).issues).toEqual([])
  })

  it('JSON that is too large, once and without listing its parts', () => {
    const { issues } = accept('json', { text: 'x'.repeat(50 * 1024 * 1024) })
    expect(issues).toHaveLength(1)
    expect(issues[0]?.reason).toContain('at most 16777216 characters')
  })
})
