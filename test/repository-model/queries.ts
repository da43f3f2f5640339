import fc from 'fast-check'
import type { Query } from './calls.ts'
import { ASKED } from './records.ts'
import { CACHED_MS, type Fields, type Name, RULES } from './schema.ts'

const TEXTS = new Set(['name', 'email', 'slug', 'label', 'author.team'])
/** Which fields can be selected. */
const SELECTED: Readonly<Record<Name, readonly string[]>> = {
  teams: ['id', 'name', 'budget'],
  people: ['id', 'teamId', 'email', 'points', 'joinedAt', 'about', 'version'],
  seats: ['row', 'number', 'label'],
  notes: ['id', 'slug', 'author', 'rank', 'updatedAt'],
}

/** A condition on records of a model. */
export function whereOf(of: Name): fc.Arbitrary<Fields> {
  const leaf = fc
    .constantFrom(...Object.entries(ASKED[of]))
    .chain(([field, values]) => conditionOf(field, values).map((asked): Fields => ({ [field]: asked })))
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([one, other]) => ({ ...one, ...other })) },
    { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }).map((or) => ({ or })) },
    { weight: 1, arbitrary: fc.array(leaf, { maxLength: 2 }).map((and) => ({ not: { and } })) },
  )
}

function conditionOf(field: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const order = fc.constantFrom('gt', 'gte', 'lt', 'lte')
  const list = fc.array(fc.option(values, { freq: 5 }), { maxLength: 3 })
  return fc.oneof(
    values,
    fc.constant(null),
    fc.option(values).map((ne) => ({ ne })),
    fc.tuple(order, values).map(([operator, value]) => ({ [operator]: value })),
    list.map((one) => ({ in: one })),
    list.map((one) => ({ notIn: one })),
    ...(TEXTS.has(field)
      ? [
          fc
            .tuple(fc.constantFrom('startsWith', 'contains'), fc.constantFrom('', 'k', 'x', '%'))
            .map(([operator, text]) => ({ [operator]: text })),
        ]
      : []),
  )
}

/** An order of records of a model. */
export function orderOf(of: Name): fc.Arbitrary<readonly Fields[]> {
  return fc
    .uniqueArray(fc.constantFrom(...Object.keys(ASKED[of])), { maxLength: 3 })
    .chain((names) => fc.tuple(...names.map((name) => fc.constantFrom('asc', 'desc').map((way) => ({ [name]: way })))))
}

/** Some of the parts are given. */
function sometimes(parts: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Query> {
  return fc.record(parts, { requiredKeys: [] }) as fc.Arbitrary<Query>
}

/** What can be asked both of a model and of its records where they are included. */
function parts(of: Name, depth: number): Readonly<Record<string, fc.Arbitrary<unknown>>> {
  return {
    where: whereOf(of),
    orderBy: orderOf(of),
    select: fc.subarray([...SELECTED[of]]),
    ...(depth > 0 && { include: includeOf(of, depth) }),
  }
}

function includeOf(of: Name, depth: number): fc.Arbitrary<Fields> {
  const relations = Object.entries(RULES[of].relations).map(([name, { to }]): [string, fc.Arbitrary<unknown>] => [
    name,
    fc.oneof(fc.constant(true), sometimes({ ...parts(to, depth - 1), limit: fc.nat(2) })),
  ])
  if (relations.length === 0) return fc.constant({})
  return fc.record<Fields>(Object.fromEntries(relations) as never, { requiredKeys: [] })
}

const cache = fc.constantFrom(false, { ttlMs: CACHED_MS })

/** How deep relations are included. */
const DEPTH = 3

/** A query of a model. */
export function queryOf(of: Name): fc.Arbitrary<Query> {
  return sometimes({ ...parts(of, DEPTH), limit: fc.nat(4), offset: fc.nat(2), cache })
}

/** A query for pages of a model. */
export function pageQueryOf(of: Name): fc.Arbitrary<Query> {
  return sometimes({ ...parts(of, 1), cache })
}
