import type { Page, Query } from '../repository/index.ts'
import type { GraphTypes } from '../schema/index.ts'
import { type GraphContext, recordsOf } from './context.ts'
import { degree } from './degree.ts'
import { connect, connectMany, updateEdge } from './edges.ts'
import { type GraphologySource, type GraphologyTarget, readGraphology, writeGraphology } from './graphology.ts'
import type { Imported } from './importing.ts'
import { type JsonSource, readJsonGraph, writeJsonGraph } from './json-graph.ts'
import { neighbors } from './neighbors.ts'
import { addNode, addNodes, updateNode, withLabel } from './nodes.ts'
import { shortestPath } from './path.ts'
import { component, traverse } from './traverse.ts'
import type {
  CarriedArgument,
  DataPatch,
  EdgeFields,
  GraphEdge,
  GraphNode,
  Label,
  NeighborsOptions,
  NewEdge,
  NodeFields,
  PathOptions,
  Relation,
  TraverseOptions,
  UntypedGraph,
} from './types.ts'

/**
 * A graph: nodes with a label and data, and edges that lead from one to another along a relation. Made by `storage.graph(name)` or, inside a
 * transaction, `tx.graph(name)`.
 *
 * What the schema declares is checked before anything is written: labels, relations, the labels at both ends of an edge, and data. Edges to
 * the node they come from and cycles are fine, and so are several edges between the same two nodes.
 */
export class Graph<T extends GraphTypes = UntypedGraph> {
  readonly name: string
  readonly #context: GraphContext

  constructor(context: GraphContext) {
    this.name = context.name
    this.#context = context
  }

  /**
   * Adds a node.
   *
   * @param options.id made by Holdfast unless given.
   * @throws ValidationError; ConflictError when there is a node with this id.
   *
   * @example
   * ```ts
   * const venue = await storage.graph('city').addNode('venue', { name: 'Blue Hall' }, { id: 'venue:blue-hall' })
   * ```
   */
  addNode<L extends Label<T>>(
    label: L,
    data: T['nodes'][L]['input'],
    options: { readonly id?: string } = {},
  ): Promise<GraphNode<T, L>> {
    return addNode(this.#context, label, data, options) as Promise<GraphNode<T, L>>
  }

  /**
   * Adds many nodes of one label, all or none, and gives them back in order.
   *
   * @example
   * ```ts
   * await storage.graph('city').addNodes('venue', [{ data: { name: 'Blue Hall' } }, { id: 'venue:loft', data: { name: 'Loft' } }])
   * ```
   */
  addNodes<L extends Label<T>>(
    label: L,
    nodes: readonly { readonly id?: string; readonly data: T['nodes'][L]['input'] }[],
  ): Promise<GraphNode<T, L>[]> {
    return addNodes(this.#context, label, nodes) as Promise<GraphNode<T, L>[]>
  }

  /**
   * The node with this id, or null.
   *
   * @example
   * ```ts
   * const venue = await storage.graph('city').getNode('venue:loft')
   * ```
   */
  getNode(id: string): Promise<GraphNode<T> | null> {
    return recordsOf(this.#context.session, this.#context.models.nodes).findById(id) as Promise<GraphNode<T> | null>
  }

  /**
   * Changes some members of a node's data and gives the node back; `undefined` leaves a member alone. The schema checks the whole.
   *
   * @throws NotFoundError; ValidationError.
   *
   * @example
   * ```ts
   * await storage.graph('city').updateNode<'venue'>('venue:loft', { name: 'The Loft' })
   * ```
   */
  updateNode<L extends Label<T> = Label<T>>(
    id: string,
    patch: DataPatch<T['nodes'][L]['input']>,
  ): Promise<GraphNode<T, L>> {
    return updateNode(this.#context, id, patch) as Promise<GraphNode<T, L>>
  }

  /** Removes a node with all edges from it and to it; whether there was one. */
  removeNode(id: string): Promise<boolean> {
    return recordsOf(this.#context.session, this.#context.models.nodes).delete(id)
  }

  /**
   * The nodes of a label that match, by id unless ordered otherwise. Paths such as `'data.name'` reach into their data.
   *
   * @example
   * ```ts
   * await storage.graph('city').nodes('venue', { where: { 'data.name': { startsWith: 'Blue' } }, limit: 10 })
   * ```
   */
  nodes<L extends Label<T>>(label: L, query?: Omit<Query<NodeFields<T, L>>, 'select'>): Promise<GraphNode<T, L>[]> {
    const records = recordsOf(this.#context.session, this.#context.models.nodes)
    return records.find(withLabel(this.#context, label, query)) as Promise<unknown> as Promise<GraphNode<T, L>[]>
  }

  /**
   * Adds an edge from one node to another.
   *
   * @throws ValidationError for a relation or data that the schema does not have, and for nodes with labels that the relation does not
   *   take; ConstraintError, code `CONSTRAINT_FOREIGN_KEY`, when there is no such node.
   *
   * @example
   * ```ts
   * await storage.graph('city').connect(venue.id, 'hosts', event.id)
   * ```
   */
  connect<R extends Relation<T>>(
    source: string,
    relation: R,
    target: string,
    ...[data]: CarriedArgument<T['relations'][R]['input']>
  ): Promise<GraphEdge<T, R>> {
    return connect(this.#context, source, relation, target, data) as Promise<GraphEdge<T, R>>
  }

  /**
   * Adds many edges, all or none, and gives them back in order.
   *
   * @example
   * ```ts
   * await storage.graph('city').connectMany([{ source: venue.id, relation: 'hosts', target: event.id }])
   * ```
   */
  connectMany(edges: readonly NewEdge<T>[]): Promise<GraphEdge<T>[]> {
    return connectMany(this.#context, edges) as Promise<GraphEdge<T>[]>
  }

  /**
   * Changes some members of an edge's data and gives the edge back; `undefined` leaves a member alone. The schema checks the whole.
   *
   * @throws NotFoundError; ValidationError.
   */
  updateEdge<R extends Relation<T> = Relation<T>>(
    id: string,
    patch: DataPatch<NonNullable<T['relations'][R]['input']>>,
  ): Promise<GraphEdge<T, R>> {
    return updateEdge(this.#context, id, patch) as Promise<GraphEdge<T, R>>
  }

  /**
   * Removes an edge; whether there was one.
   *
   * @example
   * ```ts
   * for (const { id } of await storage.graph('city').edges({ where: { target: event.id } })) await storage.graph('city').disconnect(id)
   * ```
   */
  disconnect(edgeId: string): Promise<boolean> {
    return recordsOf(this.#context.session, this.#context.models.edges).delete(edgeId)
  }

  /**
   * The edges that match, by id unless ordered otherwise: `edges({ where: { source: id, relation: 'hosts' } })`.
   */
  edges(query?: Omit<Query<EdgeFields<T>>, 'select'>): Promise<GraphEdge<T>[]> {
    const records = recordsOf(this.#context.session, this.#context.models.edges)
    return records.find(query as Record<string, never> | undefined) as Promise<unknown> as Promise<GraphEdge<T>[]>
  }

  /**
   * The nodes that edges lead to from a node, each once, by id. They come page by page where `first` is given.
   *
   * @example
   * ```ts
   * const { items, next } = await storage.graph('city').neighbors(venue.id, { relation: 'hosts', first: 50 })
   * ```
   */
  neighbors<L extends Label<T> = Label<T>>(
    id: string,
    options: NeighborsOptions<T, L> = {},
  ): Promise<Page<GraphNode<T, L>>> {
    return neighbors(this.#context, id, options as Record<string, unknown>) as Promise<unknown> as Promise<
      Page<GraphNode<T, L>>
    >
  }

  /**
   * The nodes within reach of a node, each once with the number of edges it is away at least: nearest first, then by id, beginning with the
   * node itself at depth 0. One statement a level; a cycle does no harm.
   *
   * Outside a transaction each level shows what was committed by then; `storage.transaction(work, { readOnly: true })` shows one moment.
   *
   * @example
   * ```ts
   * const near = await storage.graph('city').traverse(venue.id, { relations: ['hosts', 'performsAt'], direction: 'both', maxDepth: 2 })
   * ```
   */
  traverse<L extends Label<T> = Label<T>>(
    id: string,
    options: TraverseOptions<T, L> = {},
  ): Promise<{ node: GraphNode<T, L>; depth: number }[]> {
    return traverse(this.#context, id, options as Record<string, unknown>) as Promise<unknown> as Promise<
      { node: GraphNode<T, L>; depth: number }[]
    >
  }

  /**
   * A path of the fewest edges from one node to another or, with `weight`, of the smallest sum of weights; null where no way leads there. A
   * node's path to itself has no edges. Of several that are as short it is always the same one.
   *
   * @param options.weight the name of a number in the edges' data, such as `'minutes'`, or a function of an edge; 0 or more.
   * @throws ValidationError for an edge on the way whose weight is not a number, or below 0.
   *
   * @example
   * ```ts
   * const path = await storage.graph('city').shortestPath(kim.id, lee.id, { relations: ['performsAt'], direction: 'both' })
   * console.log(path?.nodes.map((node) => node.id), path?.cost)
   * ```
   */
  shortestPath(
    from: string,
    to: string,
    options: PathOptions<T> = {},
  ): Promise<{ nodes: GraphNode<T>[]; edges: GraphEdge<T>[]; cost: number } | null> {
    return shortestPath(this.#context, from, to, options as Record<string, unknown>) as Promise<unknown> as Promise<{
      nodes: GraphNode<T>[]
      edges: GraphEdge<T>[]
      cost: number
    } | null>
  }

  /**
   * The connected component of a node: every node that edges lead to from it, whichever way they run, itself among them, nearest first.
   */
  component<L extends Label<T> = Label<T>>(
    id: string,
    options: Pick<TraverseOptions<T, L>, 'relations' | 'labels'> = {},
  ): Promise<GraphNode<T, L>[]> {
    return component(this.#context, id, options) as Promise<unknown> as Promise<GraphNode<T, L>[]>
  }

  /**
   * How many edges begin or end at a node; with `both`, which it is unless given, an edge from a node to itself counts twice.
   *
   * @example
   * ```ts
   * const events = await storage.graph('city').degree(venue.id, { relation: 'hosts', direction: 'out' })
   * ```
   */
  degree(id: string, options: Pick<NeighborsOptions<T>, 'relation' | 'direction'> = {}): Promise<number> {
    return degree(this.#context, id, options)
  }

  /**
   * The graph as text in [JSON Graph Format](https://jsongraphformat.info), piece by piece, as it is
   * when the first piece is asked for: every edge has both of its ends. What it reads from is held until the last piece, or the end of the loop.
   *
   * @example
   * ```ts
   * await pipeline(storage.graph('city').exportJson(), createWriteStream('city.json'))
   * ```
   */
  exportJson(): AsyncGenerator<string, void, undefined> {
    return writeJsonGraph(this.#context)
  }

  /**
   * Adds the nodes and edges of a text in JSON Graph Format, all or none. It is read piece by piece: nodes by their `label`, edges by their
   * `relation`, and the `metadata` of both as data.
   *
   * @param source a string, or pieces of one such as a file's read stream; it is read once, so a conflict with another transaction is not
   *   repeated.
   * @throws ValidationError for what is not such a text or does not fit the graph; ConflictError; ConstraintError; SerializationError.
   */
  importJson(source: JsonSource): Promise<Imported> {
    return readJsonGraph(this.#context, source)
  }

  /**
   * Copies the graph into one of [graphology](https://graphology.github.io), for its algorithms and drawings: attributes are `{ label, data }`
   * of nodes and `{ relation, data }` of edges. A `MultiDirectedGraph` takes every graph.
   *
   * @example
   * ```ts
   * const ranks = pagerank(await storage.graph('city').exportTo(new MultiDirectedGraph()))
   * ```
   */
  exportTo<G extends GraphologyTarget>(graph: G): Promise<G> {
    return writeGraphology(this.#context, graph)
  }

  /**
   * Adds the nodes and edges of a graph of graphology, all or none. The attributes `label` of nodes and `relation` of edges are required; `data`
   * or, without it, all other attributes are their data.
   */
  importFrom(graph: GraphologySource): Promise<Imported> {
    return readGraphology(this.#context, graph)
  }
}
