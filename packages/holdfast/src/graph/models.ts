import { type GraphDeclaration, type Model, resolveModels, type Schema, t, table } from '../schema/index.ts'

/** The tables of one graph. */
export interface GraphModels {
  readonly nodes: Model
  readonly edges: Model
}

/**
 * Makes the models of a graph. Each graph has tables of its own, so that ids are the graph's own affair, edges refer to nodes by their key,
 * and indexes hold nothing of other graphs.
 *
 * Edges are found from both of their ends, by relation or without: that is what the two indexes are for, and they hold all that a walk reads.
 */
export function graphModels(name: string, indexes: GraphDeclaration['indexes'] = []): GraphModels {
  const prefix = `holdfast${name.charAt(0).toUpperCase()}${name.slice(1)}`
  const [nodes, edges] = [`${prefix}Nodes`, `${prefix}Edges`]
  const end = () => t.text().references(nodes, { onDelete: 'cascade' })
  const models = resolveModels(
    {
      [nodes]: table(
        {
          id: t.id(),
          label: t.text(),
          data: t.json(),
          createdAt: t.timestamp().defaultNow(),
          updatedAt: t.timestamp().defaultNow(),
        },
        { indexes: [['label', 'id'], ...(indexes as 'label'[])] },
      ),
      [edges]: table(
        {
          id: t.id(),
          source: end(),
          relation: t.text(),
          target: end(),
          data: t.json().nullable(),
          createdAt: t.timestamp().defaultNow(),
          updatedAt: t.timestamp().defaultNow(),
        },
        {
          indexes: [
            ['source', 'relation', 'target'],
            ['target', 'relation', 'source'],
          ],
        },
      ),
    },
    {},
  )
  return { nodes: models.get(nodes) as Model, edges: models.get(edges) as Model }
}

/** The models of every graph that a schema declares, by the graph's name. */
export function declaredGraphs(schema: Schema): Map<string, GraphModels> {
  const graphs = new Map<string, GraphModels>()
  for (const [name, declaration] of Object.entries(schema.declarations)) {
    if (declaration.kind === 'graph') graphs.set(name, graphModels(name, declaration.indexes))
  }
  return graphs
}
