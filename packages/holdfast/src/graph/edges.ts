import { type Row, type Session, together } from '../backend/index.ts'
import { ConstraintError, type Issue } from '../base/errors.ts'
import { labelsAt } from '../schema/index.ts'
import { oneOf, outputs, type Select } from '../statement/index.ts'
import { acceptEdgeData, acceptId, acceptRelation, assertNone } from './accept.ts'
import { byParts, type GraphContext } from './context.ts'
import { insertChecked } from './inserting.ts'
import { entriesOf, updateData } from './nodes.ts'

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
  const data = acceptEdgeData(context, relation, input['data'], `${prefix}data`, issues)
  if (id !== undefined) acceptId(id, `${prefix}id`, issues)
  return { id, source, relation, target, data }
}

/** In a declared graph the labels of the ends are looked at first, in the transaction that writes, so that they hold. */
async function insertEdges(
  context: GraphContext,
  rows: readonly Row[],
  prefixOf: (index: number) => string,
): Promise<Row[]> {
  const allowed = labelsAllowed(context)
  const ids = idsToCheck(rows, allowed)
  if (ids.length === 0) return insertChecked(context, 'edges', rows)
  return together(context.session, async (session) => {
    assertLabels(context, rows, allowed, await labelsOf(context, session, ids), prefixOf)
    return insertChecked({ ...context, session }, 'edges', rows)
  })
}

type Side = 'source' | 'target'

/** The labels that may stand at an end, by side and relation. Where all may, there is nothing to check. */
type Allowed = readonly (readonly [Side, ReadonlyMap<unknown, readonly string[]>])[]

function labelsAllowed({ declaration }: GraphContext): Allowed {
  const all = Object.keys(declaration?.nodes ?? {}).length
  const relations = Object.entries(declaration?.relations ?? {})
  const at = (end: 'from' | 'to') =>
    new Map(
      relations
        .map(([relation, ends]) => [relation, labelsAt(ends[end])] as const)
        .filter(([, labels]) => new Set(labels).size < all),
    )
  return [
    ['source', at('from')],
    ['target', at('to')],
  ]
}

function idsToCheck(rows: readonly Row[], allowed: Allowed): string[] {
  const ids = new Set<string>()
  for (const [side, relations] of allowed) {
    if (relations.size === 0) continue
    for (const row of rows) if (relations.has(row['relation'])) ids.add(row[side] as string)
  }
  return [...ids]
}

/** @throws ValidationError for labels that a relation does not take; ConstraintError for a node that is not there. */
function assertLabels(
  { name, models }: GraphContext,
  rows: readonly Row[],
  allowed: Allowed,
  labels: ReadonlyMap<string, string>,
  prefixOf: (index: number) => string,
): void {
  const issues: Issue[] = []
  for (const [index, row] of rows.entries()) {
    for (const [side, relations] of allowed) {
      const taken = relations.get(row['relation'])
      if (taken === undefined) continue
      const label = labels.get(row[side] as string)
      if (label === undefined) throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', models.edges.name, [side])
      if (taken.includes(label)) continue
      const reason = `is a node ${row[side]} with the label ${label}, and ${row['relation']} takes ${taken.join(' or ')} there`
      issues.push({ path: `${prefixOf(index)}${side}`, reason })
    }
  }
  assertNone(issues, `An edge of ${name} was refused`)
}

async function labelsOf(context: GraphContext, session: Session, ids: readonly string[]): Promise<Map<string, string>> {
  const { nodes } = context.models
  const plan = session.plan(
    `${nodes.name} labels`,
    (): Select => ({
      kind: 'select',
      model: nodes.name,
      joins: [],
      outputs: outputs(['id', 'label']),
      where: oneOf('id', 0),
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
