import type { Row } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { describe, type Model } from '../schema/index.ts'
import { type Condition, type Output, Shape } from '../statement/index.ts'
import { acceptNames } from './accept.ts'
import { byParts, type GraphContext } from './context.ts'
import { column, fields, named, oneOf } from './statements.ts'
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

/** The edges that lead on from some nodes: one statement for each way and some hundreds of nodes. */
export function edgesFrom(
  context: GraphContext,
  following: Following,
  ids: readonly string[],
  needed: Needed,
): AsyncIterable<readonly (readonly [Way, readonly Row[]])[]> {
  return byParts(
    ids,
    (part) =>
      Promise.all(
        following.ways.map(async (way) => [way, await edgesAlong(context, following, way, part, needed)] as const),
      ),
    NODES_A_STATEMENT,
  )
}

async function edgesAlong(
  { session, models }: GraphContext,
  { relations }: Following,
  way: Way,
  ids: readonly string[],
  needed: Needed,
): Promise<readonly Row[]> {
  const [near] = way
  const shape = new Shape(`${models.edges.name} from ${near}`)
  shape.mark(typeof needed === 'string' ? needed : `weight ${needed.weight}`)
  const conditions: Condition[] = [oneOf(column(near), shape.add(ids))]
  if (relations !== undefined) conditions.push(named('relation', 0, relations, shape))
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: models.edges.name,
    joins: [],
    outputs: outputsOf(models.edges, way, needed),
    where: { kind: 'and', conditions },
    orderBy: [],
  }))
  return (await session.execute(plan, shape.parameters)).rows
}

function outputsOf(edges: Model, [near, far]: Way, needed: Needed): Output[] {
  if (needed === 'all') return fields(edges.columns.map(({ name }) => name))
  if (needed === 'far') return fields([far])
  if (needed === 'near') return fields([near, far])
  const weight: Output = {
    kind: 'field',
    name: 'weight',
    field: { source: 0, column: 'data', path: needed.weight.split('.') },
  }
  return [...fields(['id', near, far]), weight]
}
