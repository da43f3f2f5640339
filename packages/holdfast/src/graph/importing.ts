import type { Row } from '../backend/index.ts'
import type { GraphContext } from './context.ts'
import { importEdges } from './edges.ts'
import { type ImportedNode, importNodes } from './nodes.ts'

/** How many nodes or edges are held back until they are written. */
const HELD_BACK = 5_000

/** How much was imported. */
export interface Imported {
  readonly nodes: number
  readonly edges: number
}

/**
 * Writes nodes and edges as they come, some thousands at a time. Nodes must be there before the edges between them: edges that come before the
 * last node wait in memory.
 */
export class Importer {
  readonly #context: GraphContext
  #nodes: ImportedNode[] = []
  #edges: Row[] = []
  #nodesWritten = 0
  #edgesWritten = 0

  constructor(context: GraphContext) {
    this.#context = context
  }

  addNode(node: ImportedNode): void {
    this.#nodes.push(node)
  }

  addEdge(edge: Row): void {
    this.#edges.push(edge)
  }

  /** Writes what has gathered, if it is enough; `nodesAreThere` says that no further nodes will come. */
  async writeSome(nodesAreThere: boolean): Promise<void> {
    if (this.#nodes.length >= HELD_BACK) await this.#writeNodes()
    if (nodesAreThere && this.#edges.length >= HELD_BACK) await this.#writeAll()
  }

  /** Writes all that is left. */
  async finish(): Promise<Imported> {
    await this.#writeAll()
    return { nodes: this.#nodesWritten, edges: this.#edgesWritten }
  }

  async #writeAll(): Promise<void> {
    await this.#writeNodes()
    const edges = this.#edges
    this.#edges = []
    if (edges.length > 0) await importEdges(this.#context, edges, this.#edgesWritten)
    this.#edgesWritten += edges.length
  }

  async #writeNodes(): Promise<void> {
    const nodes = this.#nodes
    this.#nodes = []
    if (nodes.length > 0) await importNodes(this.#context, nodes)
    this.#nodesWritten += nodes.length
  }
}

/**
 * Imports in one transaction, all or nothing. What is imported may be a stream that cannot be read again, so a conflict with another
 * transaction is not repeated here. In a transaction of the caller's, which the source may read from, an import that fails has written a part
 * of it by then, and so fails that transaction.
 */
export async function importTogether(
  context: GraphContext,
  work: (importer: Importer) => Promise<void>,
): Promise<Imported> {
  const outer = context.session
  const run = async (session: GraphContext['session']): Promise<Imported> => {
    const importer = new Importer({ ...context, session })
    await work(importer)
    return importer.finish()
  }
  if (!outer.inTransaction) return outer.transaction(run, { retries: 0 })
  try {
    return await run(outer)
  } catch (error) {
    outer.fail(error)
    throw error
  }
}
