import type { Row } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { assertOptions, describe } from '../schema/index.ts'
import { all, type Condition, compareText, oneOf, outputs, Shape } from '../statement/index.ts'
import { acceptId, assertNone } from './accept.ts'
import { cheapestPath, type Weight } from './cheapest-path.ts'
import { byParts, type GraphContext } from './context.ts'
import { fewestSteps } from './fewest-steps.ts'
import { named } from './named.ts'
import type { Route } from './route.ts'
import { nodesById } from './traverse.ts'
import { type Following, readFollowing } from './walk.ts'

/** A way from one node to another. */
export interface Path {
  readonly nodes: readonly Row[]
  readonly edges: readonly Row[]
  readonly cost: number
}

const OPTIONS = ['relations', 'direction', 'weight']

/** The path of the fewest edges or, with a weight, of the smallest sum; null where no way leads there. */
export async function shortestPath(
  context: GraphContext,
  from: unknown,
  to: unknown,
  options: Row,
): Promise<Path | null> {
  assertOptions(`A path through ${context.name} was refused`, options, OPTIONS)
  const issues: Issue[] = []
  acceptId(from, 'from', issues)
  acceptId(to, 'to', issues)
  const following = readFollowing(context, options, issues)
  const weight = readWeight(options['weight'], issues)
  assertNone(issues, `A path through ${context.name} was refused`)
  for (;;) {
    const route =
      weight === undefined
        ? await fewestSteps(context, following, from as string, to as string)
        : await cheapestPath(context, following, from as string, to as string, weight)
    if (route === null) return null
    const path = await readPath(context, following, route)
    // Outside a transaction a node or an edge of it may be gone by now: somebody's write went through, and the search begins again.
    if (path !== undefined) return path
    if (route.ids.length === 1) return null
  }
}

function readWeight(weight: unknown, issues: Issue[]): Weight | undefined {
  if (weight === undefined || typeof weight === 'function') return weight as Weight | undefined
  if (
    typeof weight === 'string' &&
    weight !== '' &&
    weight.split('.').every((step) => step !== '' && step !== '__proto__')
  ) {
    return weight
  }
  const reason = `must be the name of a member of the edges' data, or a function of an edge, got ${describe(weight)}`
  issues.push({ path: 'weight', reason })
  return undefined
}

/** Reads the nodes and edges of a route; undefined where one is missing. */
async function readPath(context: GraphContext, following: Following, route: Route): Promise<Path | undefined> {
  const [nodes, edges] = await Promise.all([nodesOf(context, route.ids), edgesOf(context, following, route)])
  if (nodes.includes(undefined) || edges.includes(undefined)) return undefined
  return { nodes: nodes as Row[], edges: edges as Row[], cost: route.cost }
}

async function nodesOf(context: GraphContext, ids: readonly string[]): Promise<(Row | undefined)[]> {
  const found = new Map<unknown, Row>()
  for await (const rows of nodesById(context, ids, undefined)) for (const row of rows) found.set(row['id'], row)
  return ids.map((id) => found.get(id))
}

async function edgesOf(
  context: GraphContext,
  following: Following,
  { ids, edges }: Route,
): Promise<(Row | undefined)[]> {
  const found = new Map<string, Row>()
  if (edges !== undefined) {
    for await (const rows of byParts(edges, (part) => readEdges(context, [['id', part]], undefined)))
      for (const row of rows) found.set(row['id'] as string, row)
    return edges.map((id) => found.get(id))
  }
  const pairs = ids.slice(1).map((id, index) => [ids[index] as string, id] as const)
  const between = byParts(pairs, (part) => edgesBetween(context, following, part), PAIRS_A_STATEMENT)
  const chosen: (Row | undefined)[] = []
  for await (const part of between) chosen.push(...part)
  return chosen
}

/** Each pair may be looked for together with each other one. */
const PAIRS_A_STATEMENT = 50

/** Of the edges between each two nodes, the first by id. */
async function edgesBetween(
  context: GraphContext,
  { relations, ways }: Following,
  pairs: readonly (readonly [string, string])[],
): Promise<(Row | undefined)[]> {
  const [here, there] = [pairs.map(([id]) => id), pairs.map(([, id]) => id)]
  const found = await Promise.all(
    ways.map(async ([near, far]) => {
      const rows = await readEdges(
        context,
        [
          [near, here],
          [far, there],
        ],
        relations,
      )
      return rows.map((row) => ({ from: row[near], to: row[far], row }))
    }),
  )
  const first = new Map<string, Row>()
  for (const { from, to, row } of found.flat()) {
    const key = JSON.stringify([from, to])
    const known = first.get(key)
    if (known === undefined || compareText(row['id'] as string, known['id'] as string) < 0) first.set(key, row)
  }
  return pairs.map((pair) => first.get(JSON.stringify(pair)))
}

async function readEdges(
  { session, models }: GraphContext,
  lists: readonly (readonly [name: string, ids: readonly string[]])[],
  relations: readonly string[] | undefined,
): Promise<Row[]> {
  const shape = new Shape(`${models.edges.name} by ${lists.map(([name]) => name).join(' ')}`)
  const conditions = lists.map(([name, ids]): Condition => oneOf(name, shape.add(ids)))
  if (relations !== undefined) conditions.push(named('relation', 0, relations, shape))
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: models.edges.name,
    joins: [],
    outputs: outputs(models.edges.columns.map(({ name }) => name)),
    where: all(...conditions),
    orderBy: [],
  }))
  return (await session.execute(plan, shape.parameters)).rows
}
