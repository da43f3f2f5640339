import type { Row } from '../backend/index.ts'
import { isPlainObject } from '../statement/index.ts'
import { type GraphContext, recordsOf } from './context.ts'
import { type Imported, importTogether } from './importing.ts'
import { ONE_MOMENT } from './one-moment.ts'

/** What is written to of a graph of [graphology](https://graphology.github.io). */
export interface GraphologyTarget {
  addNode(node: string, attributes: Record<string, unknown>): unknown
  addDirectedEdgeWithKey(edge: string, source: string, target: string, attributes: Record<string, unknown>): unknown
}

/** What is read of a graph of graphology. */
export interface GraphologySource {
  nodeEntries(): Iterable<{ readonly node: string; readonly attributes: Record<string, unknown> }>
  edgeEntries(): Iterable<{
    readonly edge: string
    readonly source: string
    readonly target: string
    readonly attributes: Record<string, unknown>
  }>
}

/** Copies a graph into one of graphology: a node's attributes are `{ label, data }`, an edge's `{ relation, data }`. */
export async function writeGraphology<G extends GraphologyTarget>(context: GraphContext, target: G): Promise<G> {
  const { session, models } = context
  const copy = async (inner: GraphContext['session']): Promise<G> => {
    for await (const { id, label, data } of recordsOf(inner, models.nodes).stream()) {
      target.addNode(id as string, { label, data })
    }
    for await (const { id, source, relation, target: to, data } of recordsOf(inner, models.edges).stream()) {
      target.addDirectedEdgeWithKey(id as string, source as string, to as string, { relation, data })
    }
    return target
  }
  // One moment for both: an edge to a node that was added in between could not be drawn.
  return session.inTransaction ? copy(session) : session.transaction(copy, ONE_MOMENT)
}

/** Copies a graph of graphology into one. */
export function readGraphology(context: GraphContext, source: GraphologySource): Promise<Imported> {
  return importTogether(context, async (importer) => {
    for (const { node, attributes } of source.nodeEntries()) {
      const { label, ...rest } = attributes
      importer.addNode({ id: node, label, data: dataOf(rest) ?? {} })
      await importer.writeSome(false)
    }
    for (const { edge, source: from, target, attributes } of source.edgeEntries()) {
      const { relation, ...rest } = attributes
      importer.addEdge({ id: edge, source: from, relation, target, data: dataOf(rest) })
      await importer.writeSome(true)
    }
  })
}

/** The member `data` where it stands alone, as in what was exported; else all attributes. */
function dataOf(attributes: Row): unknown {
  const names = Object.keys(attributes)
  if (names.length === 0) return undefined
  const { data } = attributes
  return names.length === 1 && (data === null || isPlainObject(data)) ? (data ?? undefined) : attributes
}
