import type { Row } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { assertOptions, checkKnown, describe } from '../schema/index.ts'
import { all, ascending, type Condition, compareText, hasHighUnits, oneOf, outputs, Shape } from '../statement/index.ts'
import { acceptId, acceptNames, assertNone } from './accept.ts'
import { byParts, type GraphContext, IDS_A_STATEMENT } from './context.ts'
import { named } from './named.ts'
import { asking, edgesFrom, type Following, readFollowing, waysOf } from './walk.ts'

/** A node that a walk came to, and how many edges it is away. */
export interface Reached {
  readonly node: Row
  readonly depth: number
}

const OPTIONS = ['relations', 'direction', 'minDepth', 'maxDepth', 'labels']

/** The nodes within reach of a node, nearest first. */
export async function traverse(context: GraphContext, id: unknown, options: Row): Promise<Reached[]> {
  assertOptions(`A walk through ${context.name} was refused`, options, OPTIONS)
  const issues: Issue[] = []
  acceptId(id, 'id', issues)
  const following = readFollowing(context, options, issues)
  const labels = acceptNames(context, 'label', options['labels'], 'labels', issues)
  const minDepth = readDepth(options, 'minDepth', 0, issues)
  const maxDepth = readDepth(options, 'maxDepth', Number.POSITIVE_INFINITY, issues)
  assertNone(issues, `A walk through ${context.name} was refused`)

  const depths = await depthsFrom(context, following, id as string, maxDepth)
  const ids: string[] = []
  for (const [reached, depth] of depths) if (depth >= minDepth) ids.push(reached)
  const byDepth: Reached[][] = []
  for await (const rows of nodesById(context, ids, labels)) {
    for (const node of rows) {
      const depth = depths.get(node['id'] as string) as number
      const level = byDepth[depth]
      if (level === undefined) byDepth[depth] = [{ node, depth }]
      else level.push({ node, depth })
    }
  }
  return byDepth.flat()
}

/** The nodes that are connected with a node, whichever way the edges run. */
export async function component(context: GraphContext, id: unknown, options: Row): Promise<Row[]> {
  assertOptions(`A walk through ${context.name} was refused`, options, ['relations', 'labels'])
  return (await traverse(context, id, { ...options, direction: 'both' })).map(({ node }) => node)
}

/** The ids of the nodes within reach of a node, for a condition; the node itself is not among them unless `minDepth` is 0. */
export async function reachedIds(context: GraphContext, from: unknown, options: Row, path: string): Promise<string[]> {
  const issues: Issue[] = []
  checkKnown(options, ['relation', 'direction', 'minDepth', 'maxDepth'], '', issues)
  acceptId(from, 'from', issues)
  const relations = acceptNames(context, 'relation', options['relation'], 'relation', issues)
  const ways = waysOf(options['direction'] ?? 'out', issues)
  const minDepth = readDepth(options, 'minDepth', 1, issues)
  const maxDepth = readDepth(options, 'maxDepth', Number.POSITIVE_INFINITY, issues)
  assertNone(
    issues.map((issue) => ({ ...issue, path: `${path}.${issue.path}` })),
    `A query of ${context.name} was refused`,
  )
  const depths = await depthsFrom(context, { relations, ways }, from as string, maxDepth)
  // Whatever an edge leads on from is a node; where none does, nobody has looked yet.
  if (minDepth === 0 && depths.size === 1) return idsOfNodes(context, [from as string])
  const ids: string[] = []
  for (const [id, depth] of depths) if (depth >= minDepth) ids.push(id)
  return ids
}

/** Of some ids, those of nodes. */
async function idsOfNodes(context: GraphContext, ids: readonly string[]): Promise<string[]> {
  const nodes = await Array.fromAsync(nodesById(context, ids, undefined))
  return nodes.flat().map(({ id }) => id as string)
}

/** Reads a number of edges. */
function readDepth(options: Row, name: string, otherwise: number, issues: Issue[]): number {
  const depth = options[name]
  if (depth === undefined) return otherwise
  if (!Number.isSafeInteger(depth) || (depth as number) < 0)
    issues.push({ path: name, reason: `must be a whole number from 0 on, got ${describe(depth)}` })
  return depth as number
}

/**
 * How many edges away every node within reach is at least: breadth first, one statement a level for each way. What was seen is remembered, so
 * cycles end and no node is read twice.
 */
async function depthsFrom(
  context: GraphContext,
  following: Following,
  id: string,
  maxDepth: number,
): Promise<Map<string, number>> {
  const ask = asking(context, following, 'far')
  const depths = new Map([[id, 0]])
  let level = [id]
  for (let depth = 1; depth <= maxDepth && level.length > 0; depth++) {
    const next: string[] = []
    for await (const found of edgesFrom(ask, level)) {
      for (const [[, far], rows] of found) {
        for (const row of rows) {
          const reached = row[far] as string
          if (depths.has(reached)) continue
          depths.set(reached, depth)
          next.push(reached)
        }
      }
    }
    level = next
  }
  return depths
}

/** Reads nodes by their ids, in the order of these, some thousands at a time; those that are gone, or have none of the labels, are missing. */
export function nodesById(
  { session, models }: GraphContext,
  ids: readonly string[],
  labels: readonly string[] | undefined,
): AsyncIterable<readonly Row[]> {
  return byParts(inOrder(ids), async (part) => {
    const shape = new Shape(`${models.nodes.name} by ids`)
    const conditions: Condition[] = [oneOf('id', shape.add(part))]
    if (labels !== undefined) conditions.push(named('label', 0, labels, shape))
    const plan = session.plan(shape.key, () => ({
      kind: 'select',
      model: models.nodes.name,
      joins: [],
      outputs: outputs(models.nodes.columns.map(({ name }) => name)),
      where: all(...conditions),
      orderBy: ascending('id'),
    }))
    return (await session.execute(plan, shape.parameters)).rows
  })
}

/** The ids of one statement come in order by themselves; those of several must be cut in order. */
function inOrder(ids: readonly string[]): readonly string[] {
  if (ids.length <= IDS_A_STATEMENT) return ids
  return hasHighUnits(ids.join('')) ? ids.toSorted(compareText) : ids.toSorted()
}
