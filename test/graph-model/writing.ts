import { type Reason, Refusal } from '../random-calls/refusal.ts'
import type { GraphWrite, NewEdge, NewNode, RecordWrite, Write } from './calls.ts'
import { fits } from './conditions.ts'
import type { Content, Edge, Graph, Node } from './content.ts'
import { EDGE_DATA, ENDS, type Fields, type GraphName, LABELS, NODE_DATA, RELATIONS } from './schema.ts'

/** What a call comes to: what it gives, and what is there after it. */
export interface Done {
  readonly value: unknown
  readonly content: Content
}

/** What a call of a graph comes to. */
interface Changed {
  readonly value: unknown
  readonly graph: Graph
}

/** Moments and ids, which the model cannot know by itself. */
export interface Given {
  readonly now: Date
  /** The id that was made where none was given. */
  readonly madeId: string
}

/** A call is refused before anything is written, so that its transaction can go on. */
export class RefusedBeforehand extends Refusal {}

/**
 * Does a write.
 *
 * @throws Refusal
 */
export function write(call: Write, content: Content, given: Given): Done {
  if ('model' in call) return writeRecords(call, content)
  const { value, graph } = writeGraph(call, content[call.graph], given)
  return { value, content: { ...content, [call.graph]: graph } }
}

function writeGraph(call: GraphWrite, graph: Graph, given: Given): Changed {
  switch (call.do) {
    case 'addNode': {
      const added = addNodes(call.graph, graph, [{ ...call.node, label: call.label }], given)
      return { ...added, value: added.value[0] }
    }
    case 'addNodes':
      return addNodes(
        call.graph,
        graph,
        call.nodes.map((node) => ({ ...node, label: call.label })),
        given,
        call.label,
      )
    case 'connect': {
      const added = addEdges(call.graph, graph, [call.edge], given)
      return { ...added, value: added.value[0] }
    }
    case 'connectMany':
      return addEdges(call.graph, graph, call.edges, given)
    case 'importJson': {
      const { graph: imported } = failing(() =>
        addEdges(call.graph, addNodes(call.graph, graph, call.nodes, given).graph, call.edges, given),
      )
      return { value: { nodes: call.nodes.length, edges: call.edges.length }, graph: imported }
    }
    case 'updateNode': {
      const node = existing(graph.nodes, call.id)
      const data = nodeData(call.graph, node.label, { ...node.data, ...defined(call.patch) })
      const value = { ...node, data, updatedAt: given.now }
      return { value, graph: { ...graph, nodes: graph.nodes.map((one) => (one === node ? value : one)) } }
    }
    case 'updateEdge': {
      const edge = existing(graph.edges, call.id)
      const data = edgeData(call.graph, edge.relation, { ...edge.data, ...defined(call.patch) })
      const value = { ...edge, data, updatedAt: given.now }
      return { value, graph: { ...graph, edges: graph.edges.map((one) => (one === edge ? value : one)) } }
    }
    case 'removeNode': {
      const nodes = graph.nodes.filter(({ id }) => id !== call.id)
      const edges = graph.edges.filter(({ source, target }) => source !== call.id && target !== call.id)
      return { value: nodes.length < graph.nodes.length, graph: { nodes, edges } }
    }
    case 'disconnect': {
      const edges = graph.edges.filter(({ id }) => id !== call.id)
      return { value: edges.length < graph.edges.length, graph: { ...graph, edges } }
    }
  }
}

/** What an import is refused with fails its transaction, whatever it is. */
function failing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof RefusedBeforehand ? new Refusal(...error.reasons) : error
  }
}

function existing<T extends { readonly id: string }>(records: readonly T[], id: string): T {
  const record = records.find((one) => one.id === id)
  if (record === undefined) throw new RefusedBeforehand({ code: 'NOT_FOUND' })
  return record
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function invalid(): RefusedBeforehand {
  return new RefusedBeforehand({ code: 'VALIDATION' })
}

function nodeData(name: GraphName, label: string, data: Fields): Fields {
  if (name === 'free') return data
  const fitting = NODE_DATA[label]?.(data)
  if (!fitting) throw invalid()
  return fitting
}

function edgeData(name: GraphName, relation: string, data: Fields | undefined): Fields | null {
  if (name === 'free') return data ?? null
  const fitting = EDGE_DATA[relation]?.(data)
  if (fitting === undefined) throw invalid()
  return fitting
}

function addNodes(
  name: GraphName,
  graph: Graph,
  given: readonly (NewNode & { readonly label: string })[],
  { now, madeId }: Given,
  label?: string,
): Changed & { value: readonly Node[] } {
  if (name === 'city' && label !== undefined && !isOf(LABELS, label)) throw invalid()
  const added = given.map(({ id = madeId, data, label }): Node => {
    if (name === 'city' && !isOf(LABELS, label)) throw invalid()
    return { id, label, data: nodeData(name, label, data), createdAt: now, updatedAt: now }
  })
  const nodes = [...graph.nodes, ...added]
  if (hasTwice(nodes)) throw new Refusal({ code: 'CONFLICT_UNIQUE', fields: ['id'] })
  return { value: added, graph: { ...graph, nodes } }
}

function isOf(names: readonly string[], name: string): boolean {
  return names.includes(name)
}

function hasTwice(records: readonly { readonly id: string }[]): boolean {
  return new Set(records.map(({ id }) => id)).size < records.length
}

function addEdges(
  name: GraphName,
  graph: Graph,
  given: readonly NewEdge[],
  { now, madeId }: Given,
): Changed & { value: readonly Edge[] } {
  const added = given.map(({ id = madeId, source, relation, target, data }): Edge => {
    if (name === 'city' && !isOf(RELATIONS, relation)) throw invalid()
    return { id, source, relation, target, data: edgeData(name, relation, data), createdAt: now, updatedAt: now }
  })
  if (name === 'city') assertEnds(graph, added)
  const missing = SIDES.filter((side) => added.some((edge) => labelOf(graph, edge[side]) === undefined))
  const reasons: Reason[] = missing.map((side) => ({ code: 'CONSTRAINT_FOREIGN_KEY', fields: [side] }))
  const edges = [...graph.edges, ...added]
  if (hasTwice(edges)) reasons.push({ code: 'CONFLICT_UNIQUE', fields: ['id'] })
  if (reasons.length > 0) throw new Refusal(...reasons)
  return { value: added, graph: { ...graph, edges } }
}

const SIDES = ['source', 'target'] as const

function labelOf({ nodes }: Graph, id: string): string | undefined {
  return nodes.find((node) => node.id === id)?.label
}

/** The labels of ends are looked at where a relation does not take all of them. */
function assertEnds(graph: Graph, edges: readonly Edge[]): void {
  const reasons = edges.flatMap((edge) =>
    SIDES.flatMap((side): Reason[] => {
      const taken = ENDS[edge.relation]?.[side] ?? LABELS
      const label = labelOf(graph, edge[side])
      if (taken.length === LABELS.length || (label !== undefined && taken.includes(label))) return []
      return [label === undefined ? { code: 'CONSTRAINT_FOREIGN_KEY', fields: [side] } : { code: 'VALIDATION' }]
    }),
  )
  if (reasons.length > 0) throw new RefusedBeforehand(...reasons)
}

function writeRecords(call: RecordWrite, content: Content): Done {
  const records = content[call.model]
  if (call.do === 'create') {
    const record = { points: 0, ...(call.model === 'posts' && { author: null }), ...call.record }
    if (records.some(({ id }) => id === call.record['id']))
      throw new Refusal({ code: 'CONFLICT_UNIQUE', fields: ['id'] })
    return { value: record, content: { ...content, [call.model]: [...records, record] } }
  }
  const found = new Set(records.filter((record) => fits(call.where, record, content)))
  const after =
    call.do === 'deleteMany'
      ? records.filter((record) => !found.has(record))
      : records.map((record) => (found.has(record) ? { ...record, ...call.patch } : record))
  return { value: found.size, content: { ...content, [call.model]: after } }
}
