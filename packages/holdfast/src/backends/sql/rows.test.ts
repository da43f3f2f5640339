import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../schema/index.ts'
import { postgresDialect, rowReader, sqliteDialect } from './index.ts'

describe('a row reader', () => {
  it('names and decodes the values of a row', () => {
    const read = rowReader([{ name: 'id' }, { name: 'at', decode: (stored) => new Date(stored as number) }])
    expect(read([1, 0])).toEqual({ id: 1, at: new Date(0) })
  })

  it('takes any name for the name of a member', () => {
    const names = ['__proto__', 'constructor', 'a"b', '\\', '\u2028', "']; throw 1; ['", 'a b', '0']
    const row = rowReader(names.map((name) => ({ name })))(names.map((_, at) => at))
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
    expect(new Map(Object.entries(row))).toEqual(new Map(names.map((name, at) => [name, at])))
  })
})

describe('decoding what a database stores', () => {
  const values: [ColumnType, unknown, object?][] = [
    ['boolean', false],
    ['bigint', -(2n ** 63n)],
    ['decimal', '-0.05', { precision: 4, scale: 2 }],
    ['decimal', '12', { precision: 4, scale: 0 }],
    ['timestamp', new Date('0001-01-01T00:00:00.007Z')],
    ['json', { a: [1, null] }],
    ['bytes', Uint8Array.of(0, 255)],
  ]

  it.each(values)('gives the same %s back in SQLite', (type, value, rest = {}) => {
    const { encode = same, decode = same } = sqliteDialect.codec({ type, ...rest })
    const stored = encode(value)
    expect(decode(typeof stored === 'bigint' ? String(stored) : stored)).toEqual(value)
    expect(decode(encode(null))).toBeNull()
  })

  it.each([
    ['integer', '-5', -5],
    ['real', '1e+21', 1e21],
    ['boolean', 't', true],
    ['bigint', '9223372036854775807', 2n ** 63n - 1n],
    ['timestamp', '2026-03-31 12:00:00+00', new Date('2026-03-31T12:00:00.000Z')],
    ['timestamp', '0001-01-01 00:00:00.07+00', new Date('0001-01-01T00:00:00.070Z')],
    ['bytes', '\\x00ff', Uint8Array.of(0, 255)],
    ['json', '{"a": 1}', { a: 1 }],
    ['date', '0001-01-01', '0001-01-01'],
  ] as const)('reads a %s as Postgres writes it', (type, stored, value) => {
    const { decode = same } = postgresDialect.codec({ type })
    expect(decode(stored)).toEqual(value)
    expect(decode(null)).toBeNull()
  })
})

function same(value: unknown): unknown {
  return value
}
