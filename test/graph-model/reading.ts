import { comparing } from '../repository-model/order.ts'
import type { GraphRead, Query, Read } from './calls.ts'
import { fits } from './conditions.ts'
import { byId, type Content, type Graph } from './content.ts'
import type { Fields, GraphName } from './schema.ts'
import { neighborsOf, reached, stepsFrom } from './walking.ts'

/** Does a read; a path is no value of the model's, as there may be several. */
export function read(call: Exclude<Read, { do: 'shortestPath' }>, content: Content): unknown {
  if (!('model' in call)) return readGraph(call, content)
  if (call.do === 'find') return asked(content[call.model], call.query, content)
  return content[call.model].filter((record) => fits(call.where, record, content)).length
}

function readGraph(call: Exclude<GraphRead, { do: 'shortestPath' }>, content: Content): unknown {
  const graph = content[call.graph]
  switch (call.do) {
    case 'getNode':
      return graph.nodes.find(({ id }) => id === call.id) ?? null
    case 'nodes': {
      const labelled = graph.nodes.filter(({ label }) => label === call.label)
      return asked(labelled, call.query, content, call.graph)
    }
    case 'edges':
      return asked(graph.edges, call.query, content, call.graph)
    case 'neighbors': {
      const { first, ...options } = call.options as { first?: number }
      return pagesOf(neighborsOf(graph, call.id, options), first)
    }
    case 'traverse':
      return reached(graph, call.id, call.options)
    case 'component':
      return reached(graph, call.id, { ...call.options, direction: 'both' }).map(({ node }) => node)
    case 'degree':
      return stepsFrom(graph, call.id, { direction: 'both', ...call.options }).length
    case 'exportJson':
      return exported(graph, call.graph)
  }
}

/** All pages of some nodes; of none there is one, which is empty. */
function pagesOf(nodes: readonly Fields[], first = Math.max(nodes.length, 1)): readonly (readonly Fields[])[] {
  const pages = Array.from({ length: Math.ceil(nodes.length / first) }, (_, at) =>
    nodes.slice(at * first, (at + 1) * first),
  )
  return pages.length > 0 ? pages : [[]]
}

function asked(records: readonly Fields[], query: Query, content: Content, of?: GraphName): readonly Fields[] {
  const { where = {}, orderBy = {}, limit = Number.POSITIVE_INFINITY, offset = 0 } = query
  return records
    .filter((record) => fits(where, record, content, of))
    .toSorted(comparing([orderBy], ['id']))
    .slice(offset, offset + limit)
}

/** A graph in JSON Graph Format. */
function exported({ nodes, edges }: Graph, id: GraphName): Fields {
  return {
    graph: {
      id,
      directed: true,
      nodes: Object.fromEntries(nodes.map(({ id, label, data }) => [id, { label, metadata: data }])),
      edges: edges.toSorted(byId).map(({ id, source, relation, target, data }) => ({
        id,
        source,
        relation,
        target,
        ...(data !== null && { metadata: data }),
      })),
    },
  }
}
