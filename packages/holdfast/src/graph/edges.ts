import type { Row, Session } from '../backend/index.ts'
import { ConstraintError, type Issue } from '../base/errors.ts'
import { labelsAt } from '../schema/index.ts'
import type { Select } from '../statement/index.ts'
import { acceptEdgeData, acceptId, acceptRelation, assertNone } from './accept.ts'
import { byParts, type GraphContext, together } from './context.ts'
import { createAll, entriesOf, updateData } from './nodes.ts'
import { column, fields, oneOf } from './statements.ts'

const FIELDS = ['id', 'source', 'relation', 'target', 'data']

/** Adds one edge. */
export async function connect(
  context: GraphContext,
  source: unknown,
  relation: unknown,
  target: unknown,
  data: unknown,
): Promise<Row> {
  const issues: Issue[] = []
  const row = edgeRow(context, { source, relation, target, data }, '', issues)
  assertNone(issues, `An edge of ${context.name} was refused`)
  const [edge] = await insertEdges(context, [row], () => '')
  return edge as Row
}

/** Adds many edges, all or none, and gives them back in order. */
export async function connectMany(context: GraphContext, inputs: unknown): Promise<Row[]> {
  const issues: Issue[] = []
  const rows = entriesOf(inputs, FIELDS, issues).map(([index, input]) => edgeRow(context, input, `${index}.`, issues))
  assertNone(issues, `Edges of ${context.name} were refused`)
  return insertEdges(context, rows, (index) => `${index}.`)
}

/** Adds edges of another graph or a file; `first` is the place of the first of them there. */
export async function importEdges(context: GraphContext, edges: readonly Row[], first: number): Promise<void> {
  const issues: Issue[] = []
  const prefixOf = (index: number) => `edges.${first + index}.`
  const rows = edges.map((edge, index) => edgeRow(context, edge, prefixOf(index), issues))
  assertNone(issues, `Edges of ${context.name} were refused`)
  await insertEdges(context, rows, prefixOf)
}

function edgeRow(context: GraphContext, input: Row, prefix: string, issues: Issue[]): Row {
  const { id, source, relation, target } = input
  acceptRelation(context, relation, `${prefix}relation`, issues)
  acceptId(source, `${prefix}source`, issues)
  acceptId(target, `${prefix}target`, issues)
  const data = acceptEdgeData(context, String(relation), input['data'], `${prefix}data`, issues)
  return id === undefined ? { source, relation, target, data } : { id, source, relation, target, data }
}

/** In a declared graph the labels of the ends are looked at first, in the transaction that writes, so that they hold. */
async function insertEdges(
  context: GraphContext,
  rows: readonly Row[],
  prefixOf: (index: number) => string,
): Promise<Row[]> {
  const wanted = context.declaration === undefined ? [] : endsToCheck(context, rows)
  if (wanted.length === 0) return createAll(context, 'edges', rows)
  return together(context.session, async (session) => {
    await checkEnds(context, session, wanted, prefixOf)
    return createAll({ ...context, session }, 'edges', rows)
  })
}

/** An end of an edge, and the labels that may stand there. */
interface End {
  readonly index: number
  readonly side: 'source' | 'target'
  readonly id: string
  readonly relation: string
  readonly labels: readonly string[]
}

/** The ends where not every label of the graph may stand. */
function endsToCheck({ declaration }: GraphContext, rows: readonly Row[]): End[] {
  const { nodes = {}, relations = {} } = declaration ?? {}
  const all = Object.keys(nodes).length
  const ends: End[] = []
  for (const [index, row] of rows.entries()) {
    const relation = row['relation'] as string
    const { from, to } = relations[relation] ?? { from: [], to: [] }
    const sides = [
      ['source', labelsAt(from)],
      ['target', labelsAt(to)],
    ] as const
    for (const [side, labels] of sides) {
      if (new Set(labels).size < all) ends.push({ index, side, id: row[side] as string, relation, labels })
    }
  }
  return ends
}

async function checkEnds(
  context: GraphContext,
  session: Session,
  ends: readonly End[],
  prefixOf: (index: number) => string,
): Promise<void> {
  const labels = await labelsOf(context, session, [...new Set(ends.map(({ id }) => id))])
  const issues: Issue[] = []
  for (const { index, side, id, relation, labels: allowed } of ends) {
    const label = labels.get(id)
    if (label === undefined) throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', context.models.edges.name, [side])
    if (allowed.includes(label)) continue
    const reason = `is a node ${id} with the label ${label}, and ${relation} takes ${allowed.join(' or ')} there`
    issues.push({ path: `${prefixOf(index)}${side}`, reason })
  }
  assertNone(issues, `An edge of ${context.name} was refused`)
}

async function labelsOf(context: GraphContext, session: Session, ids: readonly string[]): Promise<Map<string, string>> {
  const { nodes } = context.models
  const plan = session.plan(
    `${nodes.name} labels`,
    (): Select => ({
      kind: 'select',
      model: nodes.name,
      joins: [],
      outputs: fields(['id', 'label']),
      where: oneOf(column('id'), 0),
      orderBy: [],
    }),
  )
  const labels = new Map<string, string>()
  for await (const { rows } of byParts(ids, (part) => session.execute(plan, [part]))) {
    for (const row of rows) labels.set(row['id'] as string, row['label'] as string)
  }
  return labels
}

/** Changes the data of an edge, as `updateNode` does that of a node. */
export function updateEdge(context: GraphContext, id: unknown, patch: unknown): Promise<Row> {
  return updateData(context, 'edges', id, patch, (row, data, issues) =>
    acceptEdgeData(context, row['relation'] as string, data, 'data', issues),
  )
}
