import type { Call, GraphRead, GraphWrite, RecordRead, RecordWrite } from './calls.ts'
import type { Edge } from './content.ts'
import type { Fields, GraphName, Name } from './schema.ts'
import { costOf } from './walking.ts'

type Calls<Method extends string> = Record<Method, (...args: readonly unknown[]) => Promise<unknown>>

/** A graph, of which nothing more is known than this: the calls are made up. */
type Graph = Calls<(GraphWrite | Exclude<GraphRead, { do: 'exportJson' }>)['do']> & {
  exportJson(): AsyncIterable<string>
}

/** A storage or a transaction. */
export interface Store {
  graph(name: GraphName): Graph
  repository(model: Name): Calls<(RecordWrite | RecordRead)['do']>
  transaction(work: (tx: Store) => Promise<void>): Promise<void>
}

/** Makes a call. */
export function make(call: Call, on: Store): Promise<unknown> {
  return 'model' in call ? makeOfRecords(call, on) : makeOfGraph(call, on.graph(call.graph))
}

function makeOfRecords(call: RecordWrite | RecordRead, on: Store): Promise<unknown> {
  const repository = on.repository(call.model)
  switch (call.do) {
    case 'create':
      return repository.create(call.record)
    case 'updateMany':
      return repository.updateMany(call.where, call.patch)
    case 'find':
      return repository.find(call.query)
    default:
      return repository[call.do](call.where)
  }
}

function makeOfGraph(call: GraphWrite | GraphRead, graph: Graph): Promise<unknown> {
  switch (call.do) {
    case 'addNode': {
      const { id, data } = call.node
      return graph.addNode(call.label, data, id === undefined ? {} : { id })
    }
    case 'addNodes':
      return graph.addNodes(call.label, call.nodes)
    case 'updateNode':
    case 'updateEdge':
      return graph[call.do](call.id, call.patch)
    case 'connect': {
      const { source, relation, target, data } = call.edge
      return graph.connect(source, relation, target, data)
    }
    case 'connectMany':
      return graph.connectMany(call.edges)
    case 'importJson':
      return graph.importJson(asJson(call))
    case 'nodes':
      return graph.nodes(call.label, call.query)
    case 'edges':
      return graph.edges(call.query)
    case 'neighbors':
      return neighborPages(graph, call.id, call.options)
    case 'traverse':
    case 'component':
    case 'degree':
      return graph[call.do](call.id, call.options)
    case 'shortestPath': {
      const { weight } = call.options
      const byFunction = call.byFunction && weight !== undefined
      const weighed = byFunction ? { weight: (edge: Edge) => costOf(edge, weight) } : {}
      return graph.shortestPath(call.from, call.to, { ...call.options, ...weighed })
    }
    case 'exportJson':
      return parsed(graph.exportJson())
    default:
      return graph[call.do](call.id)
  }
}

function asJson({ nodes, edges }: GraphWrite & { do: 'importJson' }): string {
  const byIds = nodes.map(({ id, label, data }) => [id, { label, metadata: data }])
  const listed = edges.map(({ data, ...edge }) => ({ ...edge, metadata: data }))
  return JSON.stringify({ graph: { nodes: Object.fromEntries(byIds), edges: listed } })
}

async function parsed(pieces: AsyncIterable<string>): Promise<unknown> {
  return JSON.parse((await Array.fromAsync(pieces)).join(''))
}

async function neighborPages(graph: Graph, id: string, options: Fields): Promise<unknown[]> {
  const read: unknown[] = []
  for (let after: unknown = null, at = 0; at === 0 || after !== null; at++) {
    const page = (await graph.neighbors(id, { ...options, after })) as { items: unknown[]; next: unknown }
    read.push(page.items)
    after = page.next
  }
  return read
}
