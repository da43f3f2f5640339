import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { GraphRead } from './calls.ts'
import type { Edge, Graph, Node } from './content.ts'
import { cheapest, costOf, stepsFrom } from './walking.ts'

/** What `shortestPath` gives. */
interface Path {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  readonly cost: number
}

/** Whether a search for a path may be refused. */
export function mayBeRefused(call: GraphRead & { do: 'shortestPath' }, graph: Graph): boolean {
  return cheapest(graph, call.from, call.to, call.options).refused !== 'never'
}

/** Compares a path with the cheapest one: of several that cost the same, it may be any. */
export function comparePath(
  call: GraphRead & { do: 'shortestPath' },
  graph: Graph,
  actual: unknown,
  label: string,
): void {
  const { cost, refused } = cheapest(graph, call.from, call.to, call.options)
  expect(refused, `whether ${label} is refused`).not.toBe('always')
  const path = actual as Path | null
  expect(path?.cost, label).toBe(cost)
  if (path === null) return
  const { nodes, edges } = path
  expect([nodes[0]?.id, nodes.at(-1)?.id, edges.length], label).toStrictEqual([call.from, call.to, nodes.length - 1])
  expect(new Set(nodes.map(({ id }) => id)).size, label).toBe(nodes.length)
  for (const node of nodes) expect(graph.nodes, label).toContainEqual(node)
  for (const [index, edge] of edges.entries()) {
    const steps = stepsFrom(graph, nodes[index]?.id as string, call.options)
    const isStep = steps.some((step) => step.to === nodes[index + 1]?.id && isDeepStrictEqual(step.edge, edge))
    expect(isStep, `whether edge ${index} of ${label} leads on`).toBe(true)
  }
  const sum = edges.reduce((before, edge) => before + (costOf(edge, call.options['weight']) as number), 0)
  expect(sum, label).toBe(cost)
}
