import { byId, byText, type Edge, type Graph, type Node } from './content.ts'
import type { Fields } from './schema.ts'

/** A step along an edge. */
export interface Step {
  readonly edge: Edge
  readonly to: string
}

/** The steps that lead on from a node, by the options of a call. */
export function stepsFrom({ edges }: Graph, id: string, options: Fields): Step[] {
  const { direction = 'out' } = options
  const asked = options['relations'] ?? options['relation']
  const relations = Array.isArray(asked) ? asked : [asked]
  const steps: Step[] = []
  for (const edge of edges) {
    if (asked !== undefined && !relations.includes(edge.relation)) continue
    if (direction !== 'in' && edge.source === id) steps.push({ edge, to: edge.target })
    if (direction !== 'out' && edge.target === id) steps.push({ edge, to: edge.source })
  }
  return steps
}

/** Which nodes are within reach, and how many edges they are away. */
function depthsFrom(graph: Graph, id: string, options: Fields): Map<string, number> {
  const { maxDepth = Number.POSITIVE_INFINITY } = options as { maxDepth?: number }
  const depths = new Map<string, number>()
  if (!graph.nodes.some((node) => node.id === id)) return depths
  depths.set(id, 0)
  // A map goes through what is added meanwhile, too.
  for (const [at, depth] of depths) {
    if (depth === maxDepth) continue
    for (const { to } of stepsFrom(graph, at, options)) if (!depths.has(to)) depths.set(to, depth + 1)
  }
  return depths
}

/** The ids a `reach` stands for. */
export function idsInReach(graph: Graph, reach: Fields): string[] {
  const { from, minDepth = 1 } = reach as { from: string; minDepth?: number }
  const depths = depthsFrom(graph, from, reach)
  return [...depths].filter(([, depth]) => depth >= minDepth).map(([id]) => id)
}

/** What `traverse` gives. */
export function reached(graph: Graph, id: string, options: Fields): { node: Node; depth: number }[] {
  const { minDepth = 0 } = options as { minDepth?: number }
  return [...depthsFrom(graph, id, options)]
    .map(([at, depth]) => ({ node: graph.nodes.find((node) => node.id === at) as Node, depth }))
    .filter(({ node, depth }) => depth >= minDepth && isOneOf(node.label, options['labels']))
    .sort((left, right) => left.depth - right.depth || byText(left.node.id, right.node.id))
}

/** What `neighbors` gives without pages. */
export function neighborsOf(graph: Graph, id: string, options: Fields): Node[] {
  const ids = new Set(stepsFrom(graph, id, options).map(({ to }) => to))
  return graph.nodes.filter((node) => ids.has(node.id) && isOneOf(node.label, options['label'])).sort(byId)
}

function isOneOf(label: string, asked: unknown): boolean {
  return asked === undefined || (Array.isArray(asked) ? asked.includes(label) : asked === label)
}

/** What an edge costs; undefined where it may not be passed. */
export function costOf({ data }: Edge, weight: unknown): number | undefined {
  if (weight === undefined) return 1
  let cost: unknown = data
  for (const step of (weight as string).split('.'))
    cost = typeof cost === 'object' && cost !== null && Object.hasOwn(cost, step) ? (cost as Fields)[step] : undefined
  return typeof cost === 'number' && cost >= 0 ? cost : undefined
}

/** What the cheapest way costs, and where a search for it must or may come upon an edge without a weight. */
export interface Cheapest {
  /** Undefined where no way leads there. */
  readonly cost: number | undefined
  readonly refused: 'never' | 'perhaps' | 'always'
}

/** Looks for the cheapest way in the plainest manner: costs are lowered until none can be lowered any more. */
export function cheapest(graph: Graph, from: string, to: string, options: Fields): Cheapest {
  if (!graph.nodes.some(({ id }) => id === from)) return { cost: undefined, refused: 'never' }
  const costs = new Map([[from, 0]])
  for (let lowered = true; lowered; ) {
    lowered = false
    for (const [at, cost] of [...costs]) {
      for (const { edge, to: next } of stepsFrom(graph, at, options)) {
        const sum = cost + (costOf(edge, options['weight']) ?? Number.POSITIVE_INFINITY)
        if (sum >= (costs.get(next) ?? Number.POSITIVE_INFINITY)) continue
        costs.set(next, sum)
        lowered = true
      }
    }
  }
  const cost = costs.get(to)
  const lacking = [...costs]
    .filter(([at]) => stepsFrom(graph, at, options).some(({ edge }) => costOf(edge, options['weight']) === undefined))
    .map(([, before]) => before - (cost ?? Number.POSITIVE_INFINITY))
  if (from === to) return { cost, refused: 'never' }
  if (lacking.some((ahead) => ahead < 0)) return { cost, refused: 'always' }
  return { cost, refused: lacking.includes(0) ? 'perhaps' : 'never' }
}
