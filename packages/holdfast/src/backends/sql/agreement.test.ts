import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Any,
  allPages,
  type ComparedDatabase,
  comparedDatabases,
  named,
  type Operation,
  outcome,
} from '../../../../../test/agreement/comparing.ts'
import {
  at,
  bigint,
  bytes,
  data,
  day,
  decimal,
  integer,
  json,
  kind,
  real,
  scalar,
  text,
  uuid,
} from '../../../../../test/agreement/values.ts'
import {
  avg,
  count,
  countDistinct,
  dateTrunc,
  increment,
  max,
  min,
  openStorage,
  type Storage,
  sum,
} from '../../index.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 60)

/** Every SQL database must give what memory gives: the same rows in the same order, or the same error. */
const schema = defineSchema({
  things: table(
    {
      id: t.integer().primaryKey(),
      text: t.text().nullable(),
      integer: t.integer().nullable().check({ lt: 1_000_000 }),
      bigint: t.bigint().nullable(),
      real: t.real().nullable(),
      decimal: t.decimal(6, 2).nullable(),
      flag: t.boolean().nullable(),
      at: t.timestamp().nullable(),
      day: t.date().nullable(),
      uuid: t.uuid().nullable().unique(),
      bytes: t.bytes().nullable(),
      kind: t.enum(['a', "b'", 'C']).nullable(),
      data: t.json().nullable(),
      parent: t.integer().nullable().references('things', { onDelete: 'cascade' }),
    },
    { indexes: ['text', 'integer', ['flag', 'at'], 'data.x', ['text', 'data.y.z']], unique: [['kind', 'day']] },
  ),
  docs: documents({ indexes: ['n', 'm.z'] }),
})
type AnyStorage = Storage<typeof schema>

const columns = { text, integer, bigint, real, decimal, flag: fc.boolean(), at, day, uuid, bytes, kind } as const
const row = fc.record({
  id: fc.integer({ min: 0, max: 30 }),
  ...Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, fc.option(values as fc.Arbitrary<unknown>)]),
  ),
  data: fc.option(data),
  parent: fc.option(fc.integer({ min: 0, max: 30 }), { freq: 1 }),
}) as fc.Arbitrary<never>

const path = fc
  .constantFrom('x', 'y', 'y.z', 'x.0', "it's", 'a"b', 'a\\b', '$', '*', '[0]', '#-1', '\u{1F600}')
  .map((steps) => `data.${steps}`)
const order = fc.constantFrom('gt', 'gte', 'lt', 'lte')
const matcher = fc.constantFrom('contains', 'startsWith', 'endsWith')
const ofColumn = fc.constantFrom(...Object.entries(columns)).chain(([name, values]): fc.Arbitrary<object> => {
  const one = values as fc.Arbitrary<unknown>
  return fc.oneof(
    one.map((value) => ({ [name]: value })),
    fc.constant({ [name]: null }),
    fc.option(one).map((value) => ({ [name]: { ne: value } })),
    fc.tuple(order, one).map(([operator, value]) => ({ [name]: { [operator]: value } })),
    fc.array(fc.option(one, { freq: 9 }), { maxLength: 4 }).map((list) => ({ [name]: { in: list } })),
    fc.array(one, { maxLength: 3 }).map((list) => ({ [name]: { notIn: list } })),
  )
})
const leaf: fc.Arbitrary<object> = fc.oneof(
  { weight: 4, arbitrary: ofColumn },
  fc
    .tuple(matcher, fc.constantFrom('', 'a', 'b', '%', '\u{1F600}', '\u{10FFFF}', '\uD7FF', '"', '\\'))
    .map(([operator, value]) => ({ text: { [operator]: value } })),
  fc.tuple(path, fc.oneof(scalar, fc.constant(null))).map(([name, value]) => ({ [name]: value })),
  fc.tuple(path, order, scalar).map(([name, operator, value]) => ({ [name]: { [operator]: value } })),
  fc
    .tuple(path, fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 4 }))
    .map(([name, list]) => ({ [name]: { in: list } })),
  fc
    .tuple(path, matcher, fc.constantFrom('', 'a', '\u{1F600}'))
    .map(([name, operator, value]) => ({ [name]: { [operator]: value } })),
  fc.tuple(fc.oneof(path, fc.constant('data')), scalar).map(([name, value]) => ({ [name]: { has: value } })),
)
const where: fc.Arbitrary<object> = fc.oneof(
  { weight: 5, arbitrary: leaf },
  fc.array(leaf, { maxLength: 3 }).map((and) => ({ and })),
  fc.array(leaf, { maxLength: 3 }).map((or) => ({ or })),
  fc
    .oneof(
      leaf,
      fc.array(leaf, { maxLength: 2 }).map((or) => ({ or })),
    )
    .map((not) => ({ not })),
)
const direction = fc.constantFrom('asc', 'desc')
const orderBy = fc
  .uniqueArray(fc.oneof(fc.constantFrom('id', ...Object.keys(columns)), path), { maxLength: 3 })
  .chain((names) => fc.tuple(...names.map((name) => direction.map((way) => ({ [name]: way })))))
const patch = fc.oneof(
  ofPatch('text', text),
  ofPatch('data', data),
  ofPatch('integer', integer),
  ofPatch('uuid', uuid),
  ofPatch('kind', kind),
  fc.constantFrom(1, -1, 2 ** 53 - 1).map((by) => ({ integer: increment(by) })),
  fc.constantFrom(1n, -(2n ** 63n), 2n ** 63n - 1n).map((by) => ({ bigint: increment(by) })),
  fc.constantFrom(0.2, 1.7e308).map((by) => ({ real: increment(by) })),
  fc.constantFrom('0.05', '-9999.99').map((by) => ({ decimal: increment(by) })),
)
function ofPatch(name: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc.option(values).map((value) => ({ [name]: value }))
}
const pathOrColumn = fc.oneof(fc.constantFrom('id', ...Object.keys(columns)), path)
const number = fc.oneof(fc.constantFrom('id', 'integer', 'bigint', 'real', 'decimal'), path)

const things = (storage: AnyStorage): Any => storage.repository('things')
const docs = (storage: AnyStorage): Any => storage.repository('docs')
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        where,
        orderBy,
        limit: fc.option(fc.nat(5), { nil: undefined }),
        offset: fc.option(fc.nat(3), { nil: undefined }),
      })
      .map((query) => named('find', query)((storage) => things(storage).find(query))),
  },
  fc
    .record({ where, orderBy, first: fc.integer({ min: 1, max: 4 }) })
    .map((query) => named('pages', query)((storage) => allPages(things(storage), query))),
  fc
    .array(row, { maxLength: 5 })
    .map((rows) => named('createMany', rows)((storage) => things(storage).createMany(rows))),
  row.map((one) => named('upsert', one)((storage) => things(storage).upsert(one))),
  fc
    .tuple(row, patch)
    .map(([one, update]) => named('upsert update', one, update)((storage) => things(storage).upsert(one, { update }))),
  fc
    .tuple(where, patch)
    .map(([condition, change]) =>
      named('updateMany', condition, change)((storage) => things(storage).updateMany(condition, change)),
    ),
  where.map((condition) => named('deleteMany', condition)((storage) => things(storage).deleteMany(condition))),
  fc.tuple(where, pathOrColumn, pathOrColumn, number).map(([condition, group, field, figure]) => {
    const query = {
      where: condition,
      groupBy: { g: group },
      select: {
        n: count(),
        c: count(field),
        d: countDistinct(field),
        low: min(field),
        high: max(field),
        s: sum(figure),
        a: avg(figure),
      },
      orderBy: [{ g: 'asc' }],
    }
    return named('aggregate', query)(async (storage) => inOrder((await things(storage).aggregate(query)).map(rounded)))
  }),
  fc
    .tuple(where, fc.constantFrom('minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'))
    .map(([condition, unit]) => {
      const query = {
        where: condition,
        groupBy: { g: dateTrunc(unit as 'day', 'at') },
        select: { n: count() },
        having: { n: { gte: 1 } },
        orderBy: [{ n: 'desc' }, { g: 'desc' }],
      }
      return named('dateTrunc', query)((storage) => things(storage).aggregate(query))
    }),
)

const member = fc.constantFrom('n', 'm', "it's", 'a"b')
/** One member at a time may be incremented too far: of several SQL cannot tell which one was. */
const documentPatch = fc
  .tuple(
    fc.dictionary(member, json, { maxKeys: 2 }),
    fc.option(fc.tuple(member, fc.constantFrom(1, -0.2, 2 ** 53 - 1, 1.7e308))),
  )
  .map(([set, incremented]) => (incremented === null ? set : { ...set, [incremented[0]]: increment(incremented[1]) }))
const documentPath = fc.constantFrom('n', 'm', "it's", 'm.z', 'a"b')
const documentOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .tuple(fc.constantFrom('p', 'q', 'r'), fc.dictionary(member, json, { maxKeys: 3 }))
    .map(([id, content]) => named('create', id, content)((storage) => docs(storage).create({ id, ...content }))),
  fc
    .tuple(fc.constantFrom('p', 'q', 'r'), documentPatch)
    .map(([id, change]) => named('update', id, change)((storage) => docs(storage).update(id, change))),
  fc
    .tuple(documentPath, scalar, documentPatch)
    .map(([name, value, change]) =>
      named(
        'updateMany',
        name,
        value,
        change,
      )((storage) => docs(storage).updateMany({ [name]: { ne: value } }, change)),
    ),
  fc
    .record({
      where: fc
        .tuple(documentPath, order, scalar)
        .map(([name, operator, value]) => ({ not: { [name]: { [operator]: value } } })),
      orderBy: fc.tuple(documentPath, direction).map(([name, way]) => ({ [name]: way })),
      first: fc.integer({ min: 1, max: 2 }),
    })
    .map((query) => named('pages', query)((storage) => allPages(docs(storage), query))),
)

/** Reals are added in any order, so their last bits may differ. Which list is the least of several is not said. */
function rounded(group: Record<string, unknown>): Record<string, unknown> {
  const round = (value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(12)) : value)
  const other = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !(value instanceof Date || value instanceof Uint8Array)
      ? 'a list or an object'
      : value
  return {
    ...group,
    g: other(group['g']),
    s: round(group['s']),
    a: round(group['a']),
    low: other(group['low']),
    high: other(group['high']),
  }
}

/** Lists and objects do not order among themselves. */
function inOrder(groups: Record<string, unknown>[]): Record<string, unknown>[] {
  return groups.some(({ g }) => g === 'a list or an object')
    ? groups.toSorted((left, right) => (fc.stringify(left) < fc.stringify(right) ? -1 : 1))
    : groups
}

describe.each(comparedDatabases)('$name', ({ fresh }) => {
  let database: ComparedDatabase
  let compared: AnyStorage
  let oracle: AnyStorage

  beforeAll(async () => {
    database = await fresh()
    compared = await database.open(schema)
    oracle = await openStorage('memory:', { schema })
  })
  afterAll(async () => {
    await compared.close()
    await database.drop()
    await oracle.close()
  })

  async function expectAgreement(operations: readonly Operation[]): Promise<void> {
    for (const storage of [compared, oracle]) {
      await things(storage).deleteMany({})
      await docs(storage).deleteMany({})
    }
    for (const step of operations) expect(await outcome(step, compared)).toEqual(await outcome(step, oracle))
  }

  it('gives what memory gives, for tables', async () => {
    const operations = fc.array(operation, { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), operations, (rows, steps) => {
        const seeds = rows.map((one) => named('create', one)((storage) => things(storage).create(one)))
        return expectAgreement([...seeds, ...steps])
      }),
      { numRuns: RUNS },
    )
  }, 600_000)

  it('gives what memory gives, for documents', async () => {
    const operations = fc.array(documentOperation, { minLength: 1, maxLength: 12 })
    await fc.assert(fc.asyncProperty(operations, expectAgreement), { numRuns: RUNS })
  }, 600_000)
})
