import fc from 'fast-check'
import type { Call, GraphRead, NewEdge, Query, Step, Write } from './calls.ts'
import { type Fields, GRAPHS, LABELS, MODELS, RELATIONS } from './schema.ts'

/** Few ids, so that most are there; some order otherwise by their bytes than by the units of JavaScript. */
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'B', '\u{ff5e}', '\u{1f600}')
/** Of what is imported, most is new. */
const importedId = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('p', 'q', 'r') }, id)
const edgeId = fc.constantFrom('k', 'l', 'm', 'n', 'o', 'L', '\u{ff5e}', '\u{1f600}')
const graph = fc.constantFrom(...GRAPHS)
const label = fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...LABELS) }, fc.constant('planet'))
const relation = fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...RELATIONS) }, fc.constant('hates'))
const name = fc.constantFrom('Ann', ' Bob ', 'cid', 'x%')

/** Numbers whose sums are exact, and now and then what is no weight. */
const weight = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<unknown>(0, 0.5, 1, 2, 3) },
  fc.constantFrom<unknown>(-1, null, '2', true, {}),
)
const anything: fc.Arbitrary<Fields> = fc.record(
  {
    name,
    size: fc.constantFrom<unknown>(1, 2.5, null, '1', false),
    w: weight,
    m: fc.record({ w: weight }, { noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
)
const nodeData = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record<Fields>({ name, size: fc.constantFrom(1, 2) } as never, {
      requiredKeys: ['name'] as never,
      noNullPrototype: true,
    }),
  },
  anything,
)
const edgeData = fc.oneof(
  { weight: 4, arbitrary: fc.record<Fields>({ w: weight } as never, { noNullPrototype: true }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
  anything,
)
const patch: fc.Arbitrary<Fields> = fc.record(
  { name: fc.constantFrom<unknown>('Eve', ' Fay ', undefined, 1), size: fc.constantFrom(2, null), w: weight },
  { requiredKeys: [], noNullPrototype: true },
)

const node = fc.record({ id, data: nodeData })
const edgeBetween = (end: fc.Arbitrary<string>): fc.Arbitrary<NewEdge> =>
  fc.record({ id: edgeId, source: end, relation, target: end, data: edgeData })
const edge = edgeBetween(id)
const withoutId = <T extends object>({ id: _, ...rest }: T & { id?: string }) => rest

/** Everything of what is asked for a graph is drawn at once, so that a call can be made smaller part by part. */
function ofGraph<C extends Call>(
  does: C['do'],
  parts: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<C> {
  return fc.record({ do: fc.constant(does), graph, ...parts }) as never
}

const graphWrite: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: ofGraph<Write>('addNode', { label, node }) },
  ofGraph<Write>('addNode', { label, node: node.map(withoutId) }),
  ofGraph<Write>('addNodes', { label, nodes: fc.array(node, { maxLength: 3 }) }),
  { weight: 2, arbitrary: ofGraph<Write>('updateNode', { id, patch }) },
  { weight: 2, arbitrary: ofGraph<Write>('updateEdge', { id: edgeId, patch }) },
  ofGraph<Write>('removeNode', { id }),
  ofGraph<Write>('disconnect', { id: edgeId }),
  { weight: 2, arbitrary: ofGraph<Write>('connect', { edge: edge.map(withoutId) }) },
  { weight: 5, arbitrary: ofGraph<Write>('connectMany', { edges: fc.array(edge, { maxLength: 4 }) }) },
  {
    weight: 2,
    arbitrary: ofGraph<Write>('importJson', {
      nodes: fc.uniqueArray(fc.record({ id: importedId, label, data: nodeData }), {
        maxLength: 3,
        selector: ({ id }) => id,
      }),
      edges: fc.array(edgeBetween(importedId), { maxLength: 3 }),
    }),
  },
)

const RECORDS = { people: id, posts: fc.integer({ min: 1, max: 6 }) }

const direction = fc.constantFrom('out', 'in', 'both')
const someOf = (names: readonly string[]) => fc.oneof(fc.constantFrom(...names), fc.subarray([...names]))
const relations = someOf(RELATIONS)
const labels = someOf(LABELS)
const depth = fc.nat(3)

function sometimes(parts: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Fields> {
  return fc.record(parts, { requiredKeys: [] })
}

const reachParts = { relation: relations, direction, minDepth: depth, maxDepth: depth }
const reachOf = (parts: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  fc
    .tuple(fc.record({ from: id, ...parts }), sometimes(reachParts))
    .map(([one, other]): Fields => ({ reach: { ...one, ...other } }))

/** A condition that is put together from plain ones. */
function whereOf(...leaves: fc.Arbitrary<Fields>[]): fc.Arbitrary<Fields> {
  const leaf = fc.oneof(...leaves)
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    fc.constant({}),
    fc.array(leaf, { maxLength: 3 }).map((or) => ({ or })),
    fc.array(leaf, { maxLength: 3 }).map((and) => ({ and })),
    leaf.map((not) => ({ not })),
    fc.tuple(leaf, leaf).map(([one, not]) => ({ ...one, not })),
  )
}

function conditionOn(field: string, values: readonly unknown[]): fc.Arbitrary<Fields> {
  const value = fc.constantFrom(...values)
  const order = fc.constantFrom('gt', 'gte', 'lt', 'lte', 'ne')
  return fc
    .oneof(
      value,
      fc.tuple(order, value).map(([operator, one]) => ({ [operator]: one })),
      fc.array(value, { maxLength: 3 }).map((one) => ({ in: one })),
    )
    .map((asked) => ({ [field]: asked }))
}

const nodeWhere = whereOf(
  reachOf({}),
  reachOf({ graph }),
  conditionOn('data.name', ['Ann', 'Bob', 'Eve']),
  conditionOn('data.size', [1, 2]),
  conditionOn('id', ['a', 'c', '\u{1f600}']),
)
const edgeWhere = whereOf(
  reachOf({ field: fc.constantFrom('source', 'target'), graph }),
  conditionOn('relation', RELATIONS),
  conditionOn('source', ['a', 'c', '\u{1f600}']),
  conditionOn('target', ['a', 'c', '\u{1f600}']),
  conditionOn('data.w', [0, 1, 2]),
)
const peopleWhere = whereOf(reachOf({ graph }), conditionOn('points', [0, 1]))
const postsWhere = whereOf(reachOf({ graph, field: fc.constant('author') }), conditionOn('points', [0, 1]))

function queryOf(where: fc.Arbitrary<Fields>, orders: readonly string[]): fc.Arbitrary<Query> {
  const orderBy = fc
    .tuple(fc.constantFrom(...orders), fc.constantFrom('asc', 'desc'))
    .map(([by, way]) => ({ [by]: way }))
  return sometimes({ where, orderBy, limit: fc.nat(4), offset: fc.nat(2) }) as fc.Arbitrary<Query>
}

const recordCall: fc.Arbitrary<Call> = fc.constantFrom(...MODELS).chain((model) => {
  const where = model === 'people' ? peopleWhere : postsWhere
  const record =
    model === 'people'
      ? fc.record({ id, points: fc.nat(2) }, { noNullPrototype: true })
      : fc.record({ id: RECORDS.posts, author: fc.option(id), points: fc.nat(2) }, { noNullPrototype: true })
  const parts = { model: fc.constant(model) }
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('create'), ...parts, record }) },
    fc.record({ do: fc.constant('updateMany'), ...parts, where, patch: fc.record({ points: fc.nat(2) }) }),
    fc.record({ do: fc.constant('deleteMany'), ...parts, where }),
    { weight: 3, arbitrary: fc.record({ do: fc.constant('find'), ...parts, query: queryOf(where, ['points', 'id']) }) },
    fc.record({ do: fc.constant('count'), ...parts, where }),
  ) as fc.Arbitrary<Call>
})

const graphRead: fc.Arbitrary<GraphRead> = fc.oneof(
  ofGraph<GraphRead>('getNode', { id }),
  {
    weight: 2,
    arbitrary: ofGraph<GraphRead>('nodes', {
      label: fc.constantFrom(...LABELS),
      query: queryOf(nodeWhere, ['data.name', 'data.size', 'createdAt', 'id']),
    }),
  },
  {
    weight: 2,
    arbitrary: ofGraph<GraphRead>('edges', { query: queryOf(edgeWhere, ['relation', 'data.w', 'updatedAt']) }),
  },
  {
    weight: 3,
    arbitrary: ofGraph<GraphRead>('neighbors', {
      id,
      options: sometimes({ relation: relations, direction, label: labels, first: fc.integer({ min: 1, max: 3 }) }),
    }),
  },
  {
    weight: 3,
    arbitrary: ofGraph<GraphRead>('traverse', {
      id,
      options: sometimes({ relations, direction, labels, minDepth: depth, maxDepth: depth }),
    }),
  },
  ofGraph<GraphRead>('component', { id, options: sometimes({ relations, labels }) }),
  ofGraph<GraphRead>('degree', { id, options: sometimes({ relation: relations, direction }) }),
  {
    weight: 5,
    arbitrary: ofGraph<GraphRead>('shortestPath', {
      from: id,
      to: id,
      options: sometimes({ relations, direction, weight: fc.constantFrom('w', 'w', 'm.w') }),
      byFunction: fc.boolean(),
    }),
  },
  ofGraph<GraphRead>('exportJson', {}),
)

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: graphWrite },
  { weight: 4, arbitrary: graphRead },
  { weight: 2, arbitrary: recordCall },
)

/** Transactions in transactions. */
const DEPTH = 3

function stepWithin(left: number): fc.Arbitrary<Step> {
  if (left === 0) return call
  const transaction: fc.Arbitrary<Step> = fc.record({
    do: fc.constant('transaction'),
    steps: fc.array(stepWithin(left - 1), { minLength: 1, maxLength: 6 }),
    commits: fc.boolean(),
    swallows: fc.boolean(),
  })
  return fc.oneof({ weight: 8, arbitrary: call }, { weight: 2, arbitrary: transaction })
}

/** There is something from the beginning, or most of what follows would be refused. */
const beginning: readonly Step[] = GRAPHS.flatMap((name): Step[] => [
  {
    do: 'addNodes',
    graph: name,
    label: 'place',
    nodes: ['a', 'b', 'B', '\u{1f600}'].map((one) => ({ id: one, data: { name: one } })),
  },
  {
    do: 'addNodes',
    graph: name,
    label: 'person',
    nodes: ['c', '\u{ff5e}'].map((one) => ({ id: one, data: { name: one } })),
  },
])

/** A run: what is done one after the other. */
export const runs: fc.Arbitrary<readonly Step[]> = fc
  .array(stepWithin(DEPTH), { minLength: 1, maxLength: 30, size: 'max' })
  .map((steps) => [...beginning, ...steps])
