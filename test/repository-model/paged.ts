import fc from 'fast-check'
import { defineSchema, documents, t, table } from '../../packages/holdfast/src/index.ts'
import * as values from '../agreement/values.ts'
import type { Fields } from './schema.ts'

/** A table with a nullable column of each type, some of them indexed, and documents. */
export const pagedSchema = defineSchema({
  rows: table(
    {
      group: t.text(),
      number: t.integer(),
      text: t.text().nullable(),
      integer: t.integer().nullable(),
      bigint: t.bigint().nullable(),
      real: t.real().nullable(),
      decimal: t.decimal(6, 2).nullable(),
      flag: t.boolean().nullable(),
      at: t.timestamp().nullable(),
      day: t.date().nullable(),
      uuid: t.uuid().nullable(),
      bytes: t.bytes().nullable(),
      kind: t.enum(['a', "b'", 'C']).nullable(),
      data: t.json().nullable(),
      level: t.integer(),
    },
    {
      primaryKey: ['group', 'number'],
      indexes: ['text', 'level', ['flag', 'at'], 'data.x', ['level', 'group', 'number'], ['integer', 'decimal']],
    },
  ),
  docs: documents<Record<string, unknown>>({ indexes: ['x', 'text', ['y.z', 'x']] }),
})

/** The models of that schema. */
export type Paged = 'rows' | 'docs'

const COLUMNS = {
  text: values.text,
  integer: values.integer,
  bigint: values.bigint,
  real: values.real,
  decimal: values.decimal.map((text) => Number(text).toFixed(2)),
  flag: fc.boolean(),
  at: values.at,
  day: values.day,
  uuid: values.uuid,
  bytes: values.bytes,
  kind: values.kind,
  data: fc.record({ x: values.json, y: fc.record({ z: values.json }) }, { requiredKeys: [], noNullPrototype: true }),
}
const level = fc.integer({ min: 0, max: 2 })
const nullable = Object.entries(COLUMNS).map(([name, of]) => [
  name,
  fc.option(of as fc.Arbitrary<unknown>, { freq: 3 }),
])

/** A record of each model, whose key others may have too. */
const RECORDS: Readonly<Record<Paged, fc.Arbitrary<Fields>>> = {
  rows: fc.record<Fields>({
    group: fc.constantFrom('a', '\u{1F600}', '\uFB01'),
    number: fc.integer({ min: -2, max: 3 }),
    level,
    ...Object.fromEntries(nullable),
  }),
  docs: fc.record<Fields>(
    {
      id: fc.constantFrom(...'abcdefghijklmnop'),
      x: values.json,
      text: values.text,
      y: fc.record({ z: values.json }, { requiredKeys: [], noNullPrototype: true }),
    },
    { requiredKeys: ['id'] as never, noNullPrototype: true },
  ),
}

/** The fields that make the key of each model. */
export const PAGED_KEYS: Readonly<Record<Paged, readonly string[]>> = { rows: ['group', 'number'], docs: ['id'] }

const ORDERED: Readonly<Record<Paged, readonly string[]>> = {
  rows: [...Object.keys(COLUMNS).filter((name) => name !== 'data'), 'data.x', 'data.y.z', 'level', 'group', 'number'],
  docs: ['id', 'x', 'text', 'y.z', 'version'],
}

/** What is written between two pages: a record, in place of the one with its key, or its removal. */
export interface Writing {
  readonly record: Fields
  readonly removes: boolean
}

/** A way through the pages of a model. */
export interface Walk {
  readonly model: Paged
  readonly records: readonly Fields[]
  readonly orderBy: readonly Fields[]
  readonly where: Fields
  /** How many records each page has, and what is written after it; then it starts over. */
  readonly pages: readonly { readonly first: number; readonly writes: readonly Writing[] }[]
}

function walkOf(model: Paged): fc.Arbitrary<Walk> {
  const record = RECORDS[model]
  const orderBy = fc
    .uniqueArray(fc.constantFrom(...ORDERED[model]), { maxLength: 3 })
    .chain((names) => fc.tuple(...names.map((name) => fc.constantFrom('asc', 'desc').map((way) => ({ [name]: way })))))
  const asked = model === 'rows' ? { level: { gt: 0 } } : { text: { ne: null } }
  return fc.record({
    model: fc.constant(model),
    records: fc.array(record, { maxLength: 24, size: 'max' }),
    orderBy,
    where: fc.constantFrom({}, {}, asked),
    pages: fc.array(
      fc.record({
        first: fc.integer({ min: 1, max: 5 }),
        writes: fc.array(fc.record({ record, removes: fc.boolean() }), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
}

/** Ways through the pages of one or the other. */
export const walks: fc.Arbitrary<Walk> = fc.oneof(walkOf('rows'), walkOf('docs'))
