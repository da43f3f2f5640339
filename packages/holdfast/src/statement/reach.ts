import { describe } from '../schema/index.ts'
import type { Condition } from './condition.ts'
import type { Scope } from './scope.ts'
import type { Shape } from './shape.ts'
import type { Delete, Select, Statement, Update } from './statement.ts'

/**
 * Stands in the parameters for the ids of the nodes within reach of a node. Whoever executes the statement walks the graph first and puts the
 * list in its place, so that a backend sees an ordinary list.
 */
export class Reach {
  /** Left out: the graph whose nodes are asked for. */
  readonly graph: string | undefined
  readonly from: unknown
  /** How to walk; the graph checks it. */
  readonly options: Readonly<Record<string, unknown>>
  /** Where it stands in the call, for errors. */
  readonly path: string

  constructor(graph: string | undefined, from: unknown, options: Readonly<Record<string, unknown>>, path: string) {
    this.graph = graph
    this.from = from
    this.options = options
    this.path = path
  }
}

/**
 * Reads `reach: { from, graph, field, relation, … }`: the records whose key, or another text field, is the id of a node within reach.
 */
export function readReach(
  { graph, from, field, ...options }: Record<string, unknown>,
  scope: Scope,
  shape: Shape,
  path: string,
): Condition | undefined {
  const name = field === undefined ? scope.key : field
  const known = typeof name === 'string' ? scope.resolve(name) : null
  if (graph !== undefined && (typeof graph !== 'string' || graph === ''))
    shape.refuse(`${path}.graph`, `must be the name of a graph, got ${describe(graph)}`)
  if (known === null || (known.type !== 'text' && known.type !== 'path')) {
    const reason = 'must name a text field that holds ids of nodes'
    shape.refuse(`${path}.field`, field === undefined ? `${reason}: the key of ${scope.subject} is not one` : reason)
    return undefined
  }
  shape.mark('reach')
  shape.name(name as string)
  const parameter = shape.add(new Reach(graph as string | undefined, from, options, path))
  return { kind: 'in', field: known.field, parameter, reach: true, ...(known.type === 'path' && { json: 'text' }) }
}

/** The parameters of a statement that stand for what is within reach. */
export function reachParameters(statement: Statement): readonly number[] {
  return statement.kind === 'insert' || statement.where === undefined ? [] : parametersIn(statement.where)
}

function parametersIn(condition: NonNullable<(Select | Update | Delete)['where']>): readonly number[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap(parametersIn)
    case 'not':
      return parametersIn(condition.condition)
    case 'in':
      return condition.reach === true ? [condition.parameter] : []
    default:
      return []
  }
}
