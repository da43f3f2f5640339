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
  type DescribedTable,
  describeTables,
  type RandomField,
  randomTables,
  schemaOf,
} from '../../../../../test/agreement/schemas.ts'
import { count, countDistinct, max, min, openStorage } from '../../index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 25)

const direction = fc.constantFrom('asc', 'desc')

/** Operations on one of the tables, whose name gets the number of the schema when they run. */
function operationsOn({ name, fields, keys }: DescribedTable, number: () => number): fc.Arbitrary<Operation> {
  const step = (what: string, shown: unknown, run: (repository: Any) => Promise<unknown>): Operation =>
    named(`${name}.${what}`, shown)((storage) => run(storage.repository(`${name}${number()}`)))
  const record = recordOf(fields)
  const where = whereOf(fields)
  const key = keyOf(fields, keys)
  const orderBy = orderOf(fields)
  const patch = patchOf(fields)
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(record, { maxLength: 6 }).map((rows) => step('createMany', rows, (r) => r.createMany(rows))),
    },
    { weight: 3, arbitrary: record.map((row) => step('upsert', row, (r) => r.upsert(row))) },
    fc
      .tuple(record, patch)
      .map(([row, update]) => step('upsert update', [row, update], (r) => r.upsert(row, { update }))),
    fc.tuple(key, patch).map(([id, change]) => step('update', [id, change], (r) => r.update(id, change))),
    fc
      .tuple(where, patch)
      .map(([condition, change]) => step('updateMany', [condition, change], (r) => r.updateMany(condition, change))),
    key.map((id) => step('delete', id, (r) => r.delete(id))),
    where.map((condition) => step('deleteMany', condition, (r) => r.deleteMany(condition))),
    key.map((id) => step('findById', id, (r) => r.findById(id))),
    fc.array(key, { maxLength: 4 }).map((ids) => step('findByIds', ids, (r) => r.findByIds(ids))),
    {
      weight: 3,
      arbitrary: fc
        .record({ where, orderBy, limit: fc.option(fc.nat(4), { nil: undefined }) })
        .map((query) => step('find', query, (r) => r.find(query))),
    },
    fc
      .record({ where, orderBy, first: fc.integer({ min: 1, max: 3 }) })
      .map((query) => step('pages', query, (r) => allPages(r, query))),
    fc
      .tuple(where, fc.constantFrom(...scalars(fields)), fc.constantFrom(...scalars(fields)))
      .map(([condition, group, field]) => {
        const query = {
          where: condition,
          groupBy: { g: group },
          select: { n: count(), d: countDistinct(field), low: min(field), high: max(field) },
          orderBy: [{ g: 'asc' }],
        }
        return step('aggregate', query, (r) => r.aggregate(query))
      }),
  )
}

function recordOf(fields: readonly RandomField[]): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(
      fields.map(({ name, values, nullable }) => [name, nullable ? fc.option(values, { freq: 3 }) : values]),
    ),
    { requiredKeys: fields.filter(({ optional }) => !optional).map(({ name }) => name) },
  )
}

function patchOf(fields: readonly RandomField[]): fc.Arbitrary<object> {
  const changed = fields.filter(({ key }) => !key)
  return fc
    .constantFrom(...changed)
    .chain(({ name, values, nullable }) => (nullable ? fc.option(values) : values).map((value) => ({ [name]: value })))
}

function keyOf(fields: readonly RandomField[], keys: readonly string[]): fc.Arbitrary<unknown> {
  const parts = keys.map((name) => (fields.find((field) => field.name === name) as RandomField).values)
  if (parts.length === 1) return parts[0] as fc.Arbitrary<unknown>
  return fc.tuple(...parts).map((given) => Object.fromEntries(keys.map((name, at) => [name, given[at]])))
}

function whereOf(fields: readonly RandomField[]): fc.Arbitrary<object> {
  const compared = fields.filter(({ kind }) => kind !== 'json')
  const leaf = fc.constantFrom(...compared).chain(({ name, values, kind }): fc.Arbitrary<object> => {
    const operator = kind === 'boolean' || kind === 'bytes' ? ['eq', 'ne'] : ['eq', 'ne', 'gt', 'gte', 'lt', 'lte']
    return fc.oneof(
      fc.tuple(fc.constantFrom(...operator), values).map(([how, value]) => ({ [name]: { [how]: value } })),
      fc.constant({ [name]: null }),
      fc.array(fc.option(values), { maxLength: 3 }).map((list) => ({ [name]: { in: list } })),
    )
  })
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    fc.constant({}),
    fc.array(leaf, { maxLength: 2 }).map((or) => ({ or })),
    fc.tuple(leaf, leaf).map(([one, other]) => ({ and: [one, { not: other }] })),
  )
}

function orderOf(fields: readonly RandomField[]): fc.Arbitrary<object[]> {
  return fc
    .uniqueArray(fc.constantFrom(...scalars(fields)), { maxLength: 3 })
    .chain((names) => fc.tuple(...names.map((name) => direction.map((way) => ({ [name]: way })))))
}

function scalars(fields: readonly RandomField[]): string[] {
  return fields.filter(({ kind }) => kind !== 'json').map(({ name }) => name)
}

/** A record may break several rules of such a schema at once, and each database looks at them in its own order. */
async function outcomeOf(step: Operation, storage: Any): Promise<unknown> {
  const came = (await outcome(step, storage)) as { readonly code?: string }
  return /^(CONFLICT|CONSTRAINT)_/.test(came.code ?? '') ? 'a rule was broken' : came
}

describe.each(comparedDatabases)('$name', ({ fresh }) => {
  let database: ComparedDatabase
  let number = 0

  beforeAll(async () => {
    database = await fresh()
  })
  afterAll(() => database.drop())

  it('gives what memory gives, whatever the schema', async () => {
    const cases = randomTables.chain((tables) =>
      fc.record({
        tables: fc.constant(tables),
        steps: fc.array(fc.oneof(...describeTables(tables).map((one) => operationsOn(one, () => number))), {
          minLength: 5,
          maxLength: 25,
        }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ tables, steps }) => {
        number++
        const schema = schemaOf(tables, number)
        await using storage = await database.open(schema)
        await using oracle = await openStorage('memory:', { schema })
        const contents = describeTables(tables).map(({ name }) =>
          named(`all ${name}`)((either) => either.repository(`${name}${number}`).find({})),
        )
        for (const step of [...steps, ...contents])
          expect(await outcomeOf(step, storage)).toEqual(await outcomeOf(step, oracle))
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
