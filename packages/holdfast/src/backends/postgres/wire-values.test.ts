import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrayLiteral, wireValue } from './wire-values.ts'

let client: Client

beforeAll(async () => {
  client = new Client({ connectionString: process.env['TEST_EMBEDDED_POSTGRES_URL'] as string })
  await client.connect()
})
afterAll(() => client.end())

async function readBack(values: readonly unknown[], type: string): Promise<unknown[]> {
  const { rows } = await client.query(`select v from unnest($1::${type}[]) with ordinality as t(v, n) order by n`, [
    arrayLiteral(values),
  ])
  return rows.map(({ v }) => v)
}

describe('a list as the server reads it', () => {
  it('holds the same texts', async () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed() && !value.includes('\0'))
    const special = fc.constantFrom('', 'NULL', 'null', '"', '\\', '\\"', '{', '}', ',', ' a ', '\n', "'")
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(text, special, fc.constant(null))), async (values) => {
        expect(await readBack(values, 'text')).toEqual(values)
      }),
      { numRuns: 200 },
    )
  })

  it('holds the same bytes', async () => {
    const bytes = fc.uint8Array().map((value) => Buffer.from(value))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, fc.constant(null))), async (values) => {
        expect(await readBack(values, 'bytea')).toEqual(values)
      }),
      { numRuns: 50 },
    )
  })

  it('holds the same numbers and booleans', async () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
    await fc.assert(
      fc.asyncProperty(fc.array(number), async (values) => {
        expect(await readBack(values, 'float8')).toEqual(values)
      }),
      { numRuns: 50 },
    )
    expect(await readBack([true, false, null], 'boolean')).toEqual([true, false, null])
  })
})

describe('a single value', () => {
  it('is text, bytes or null', () => {
    const bytes = Buffer.from([1, 2])
    expect(['a', 1.5, true, null, bytes, ['a', null]].map(wireValue)).toEqual([
      'a',
      '1.5',
      'true',
      null,
      bytes,
      '{"a",NULL}',
    ])
  })
})
