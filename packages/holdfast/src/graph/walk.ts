import type { Row } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { describe, type Model } from '../schema/index.ts'
import { all, type Condition, type Output, oneOf, outputs, Shape } from '../statement/index.ts'
import { acceptNames } from './accept.ts'
import { byParts, type GraphContext } from './context.ts'
import { named } from './named.ts'
import type { EdgeDirection } from './types.ts'

/** The columns of an edge: where a walk comes from and where it leads. */
export type Way = readonly [near: 'source' | 'target', far: 'source' | 'target']

/** Which edges a walk follows. */
export interface Following {
  readonly relations: readonly string[] | undefined
  readonly ways: readonly Way[]
}

/** How many nodes one statement follows the edges of: each may have many. */
const NODES_A_STATEMENT = 500

const OUT: Way = ['source', 'target']
const IN: Way = ['target', 'source']

/** The ways along edges that a direction means. */
export function waysOf(direction: unknown, issues: Issue[]): readonly Way[] {
  const ways: { readonly [Direction in EdgeDirection]: readonly Way[] } = { out: [OUT], in: [IN], both: [OUT, IN] }
  if (typeof direction === 'string' && Object.hasOwn(ways, direction)) return ways[direction as EdgeDirection]
  issues.push({ path: 'direction', reason: `must be out, in or both, got ${describe(direction)}` })
  return []
}

/** The same edges, followed from their other end. */
export function backwards({ relations, ways }: Following): Following {
  return { relations, ways: ways.map(([near, far]) => [far, near]) }
}

/** Reads which edges to follow from the options of a call. */
export function readFollowing(
  context: GraphContext,
  { relations, direction = 'out' }: { readonly relations?: unknown; readonly direction?: unknown },
  issues: Issue[],
): Following {
  return {
    relations: acceptNames(context, 'relation', relations, 'relations', issues),
    ways: waysOf(direction, issues),
  }
}

/**
 * What of an edge is needed besides where it leads: nothing more; where it comes from; its id and the number at a path of its data as well; or
 * all of it. For the first two the index alone is read.
 */
export type Needed = 'far' | 'near' | { readonly weight: string } | 'all'

/** The edges that lead on from some nodes, by the ways they were found. */
export type Found = readonly (readonly [Way, readonly Row[]])[]

/** Asks for the edges that lead on from some hundreds of nodes: one statement for each way. */
export type Ask = (ids: readonly string[]) => Promise<Found>

/** Makes ready what a walk asks again and again. */
export function asking(context: GraphContext, following: Following, needed: Needed): Ask {
  const along = following.ways.map((way) => [way, askingAlong(context, following, way, needed)] as const)
  return (ids) => Promise.all(along.map(async ([way, ask]) => [way, await ask(ids)] as const))
}

/** The edges that lead on from any number of nodes, some hundreds of them at a time. */
export function edgesFrom(ask: Ask, ids: readonly string[]): AsyncIterable<Found> | Iterable<Promise<Found>> {
  return ids.length <= NODES_A_STATEMENT ? [ask(ids)] : byParts(ids, ask, NODES_A_STATEMENT)
}

function askingAlong(
  { session, models }: GraphContext,
  { relations }: Following,
  way: Way,
  needed: Needed,
): (ids: readonly string[]) => Promise<readonly Row[]> {
  const [near] = way
  const shape = new Shape(`${models.edges.name} from ${near}`)
  shape.mark(typeof needed === 'string' ? needed : `weight ${needed.weight}`)
  const conditions: Condition[] = [oneOf(near, shape.add([]))]
  if (relations !== undefined) conditions.push(named('relation', 0, relations, shape))
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: models.edges.name,
    joins: [],
    outputs: outputsOf(models.edges, way, needed),
    where: all(...conditions),
    orderBy: [],
  }))
  const [, ...others] = shape.parameters
  return async (ids) => (await session.execute(plan, [ids, ...others])).rows
}

function outputsOf(edges: Model, [near, far]: Way, needed: Needed): Output[] {
  if (needed === 'all') return outputs(edges.columns.map(({ name }) => name))
  if (needed === 'far') return outputs([far])
  if (needed === 'near') return outputs([near, far])
  const weight: Output = {
    kind: 'field',
    name: 'weight',
    field: { source: 0, column: 'data', path: needed.weight.split('.') },
  }
  return [...outputs(['id', near, far]), weight]
}
