import type { Session } from '../backend/index.ts'
import { ValidationError } from '../base/errors.ts'
import { type GraphContext, type GraphModels, reachedIds } from '../graph/index.ts'
import { describe, type Model, type Schema } from '../schema/index.ts'
import type { Reach } from '../statement/index.ts'
import { EnsuringSession, undeclaredGraph } from './undeclared.ts'

/** What a storage knows of its graphs and their tables. */
export interface GraphsKnown {
  readonly schema: Schema
  /** Every model, features' own and undeclared ones included. */
  readonly models: Map<string, Model>
  readonly autoCreate: boolean
  /** The models whose tables were made when the storage was opened; those of the others are made at first use. */
  readonly created: ReadonlySet<Model>
  /** The tables of every graph that is declared or was used. */
  readonly graphs: Map<string, GraphModels>
}

/**
 * A graph in a session, whose tables are made first where the schema does not speak of it.
 *
 * @throws ConfigurationError for an undeclared name where `autoCreate` is off.
 */
export function graphIn(session: Session, name: string, known: GraphsKnown): GraphContext {
  const { schema, graphs, created } = known
  if (typeof name !== 'string') {
    const reason = `must be text, got ${describe(name)}`
    throw new ValidationError('The name of a graph was refused', [{ path: 'name', reason }])
  }
  const declared = schema.declarations[name]
  const declaration = declared?.kind === 'graph' ? declared : undefined
  const tables = graphs.get(name) ?? undeclaredGraph(name, known)
  const missing = [tables.nodes, tables.edges].filter((model) => !created.has(model))
  const ensured = missing.length === 0 ? session : new EnsuringSession(session, missing)
  return { session: ensured, name, models: tables, declaration }
}

/**
 * The ids that a reach in a query of a model stands for.
 *
 * @throws ValidationError where it names no graph and the model is not one's nodes.
 */
export async function idsInReach(
  session: Session,
  { graph, from, options, path }: Reach,
  model: string,
  known: GraphsKnown,
): Promise<readonly string[]> {
  const name = graph ?? [...known.graphs].find(([, { nodes }]) => nodes.name === model)?.[0]
  if (name === undefined) {
    const issue = { path: `${path}.graph`, reason: 'is required: the graph to walk through' }
    throw new ValidationError(`A query of ${model} was refused`, [issue])
  }
  return reachedIds(graphIn(session, name, known), from, options, path)
}
