import { type Row, type Session, together } from '../backend/index.ts'
import { type Issue, NotFoundError, ValidationError } from '../base/errors.ts'
import { acceptKey } from '../repository/index.ts'
import { checkKnown, describe, type Model } from '../schema/index.ts'
import { equals, isPlainObject, outputs } from '../statement/index.ts'
import { acceptId, acceptLabel, acceptNodeData, assertNone } from './accept.ts'
import { type GraphContext, recordsOf } from './context.ts'
import { insertChecked } from './inserting.ts'

/** Adds one node. */
export async function addNode(context: GraphContext, label: unknown, data: unknown, options: object): Promise<Row> {
  const issues: Issue[] = []
  checkKnown(options, ['id'], '', issues)
  acceptLabel(context, label, 'label', issues)
  const accepted = acceptNodeData(context, label, data, 'data', issues)
  const row = nodeRow(label, accepted, (options as { id?: unknown } | null)?.id, '', issues)
  assertNone(issues, `A node of ${context.name} was refused`)
  const [node] = await insertChecked(context, 'nodes', [row])
  return node as Row
}

/** Adds many nodes, all or none, and gives them back in order. */
export async function addNodes(context: GraphContext, label: unknown, inputs: unknown): Promise<Row[]> {
  const issues: Issue[] = []
  acceptLabel(context, label, 'label', issues)
  const rows = entriesOf(inputs, ['id', 'data'], issues).map(([index, { id, data }]) =>
    nodeRow(label, acceptNodeData(context, label, data, `${index}.data`, issues), id, `${index}.`, issues),
  )
  assertNone(issues, `Nodes of ${context.name} were refused`)
  return insertChecked(context, 'nodes', rows)
}

/** A node of another graph or a file. */
export interface ImportedNode {
  readonly id: string
  readonly label: unknown
  readonly data: unknown
}

/** Adds nodes of any labels. */
export async function importNodes(context: GraphContext, nodes: readonly ImportedNode[]): Promise<void> {
  const issues: Issue[] = []
  const rows = nodes.map(({ id, label, data }) => {
    acceptLabel(context, label, `nodes.${id}.label`, issues)
    const accepted = acceptNodeData(context, label, data, `nodes.${id}.data`, issues)
    return nodeRow(label, accepted, id, `nodes.${id}.`, issues)
  })
  assertNone(issues, `Nodes of ${context.name} were refused`)
  await insertChecked(context, 'nodes', rows)
}

/** The members of a list that are objects of known fields, with their places. */
export function entriesOf(inputs: unknown, fields: readonly string[], issues: Issue[]): [number, Row][] {
  if (!Array.isArray(inputs)) {
    issues.push({ path: '', reason: `must be a list, got ${describe(inputs)}` })
    return []
  }
  const entries: [number, Row][] = []
  for (const [index, input] of inputs.entries()) {
    if (!isPlainObject(input)) {
      issues.push({ path: String(index), reason: `must be an object, got ${describe(input)}` })
      continue
    }
    for (const field of Object.keys(input)) {
      if (!fields.includes(field))
        issues.push({ path: `${index}.${field}`, reason: `is not a field; known: ${fields.join(', ')}` })
    }
    entries.push([index, input])
  }
  return entries
}

/** A node whose label and data were checked; `prefix` is where its id stands. */
function nodeRow(label: unknown, data: unknown, id: unknown, prefix: string, issues: Issue[]): Row {
  if (id !== undefined) acceptId(id, `${prefix}id`, issues)
  return { id, label, data }
}

/**
 * Changes the data of a node: the members of the patch replace those of the node, `undefined` leaves one alone. The label's schema checks
 * the whole.
 */
export function updateNode(context: GraphContext, id: unknown, patch: unknown): Promise<Row> {
  return updateData(context, 'nodes', id, patch, (row, data, issues) =>
    acceptNodeData(context, row['label'] as string, data, 'data', issues),
  )
}

/** Reads a node or an edge, changes its data, has it checked and writes it back, in one transaction. */
export async function updateData(
  context: GraphContext,
  kind: 'nodes' | 'edges',
  id: unknown,
  patch: unknown,
  accept: (row: Row, data: Row, issues: Issue[]) => unknown,
): Promise<Row> {
  const subject = `A change of ${context.name} was refused`
  if (!isPlainObject(patch))
    throw new ValidationError(subject, [{ path: 'patch', reason: `must be an object, got ${describe(patch)}` }])
  return together(context.session, async (session) => {
    const records = recordsOf(session, context.models[kind])
    const row = await lockRow(session, context.models[kind], id)
    if (row === undefined) throw new NotFoundError(context.models[kind].name, id)
    const data = { ...(row['data'] as Row | null) }
    for (const [name, value] of Object.entries(patch)) if (value !== undefined) data[name] = value
    const issues: Issue[] = []
    const accepted = accept(row, data, issues)
    assertNone(issues, subject)
    return records.update(id as string, { data: accepted, updatedAt: new Date(session.clock.now()) })
  })
}

/** The row of a node or an edge. Nobody else can change it before the transaction ends: what they wrote would be overwritten. */
async function lockRow(session: Session, model: Model, id: unknown): Promise<Row | undefined> {
  const plan = session.plan(`${model.name} lock`, () => ({
    kind: 'select',
    model: model.name,
    joins: [],
    outputs: outputs(model.columns.map(({ name }) => name)),
    where: equals('id', 0),
    orderBy: [],
    locked: true,
  }))
  return (await session.execute(plan, acceptKey(model, id))).rows[0]
}

/** Adds the condition on the label to a query. */
export function withLabel(context: GraphContext, label: unknown, query: unknown): Row {
  const issues: Issue[] = []
  acceptLabel(context, label, 'label', issues)
  assertNone(issues, `A query of ${context.name} was refused`)
  if (query === undefined) return { where: { label } }
  if (!isPlainObject(query)) return query as unknown as Row // The repository says what is wrong with it.
  const { where } = query
  if (where === undefined) return { ...query, where: { label } }
  if (!isPlainObject(where)) return query
  return { ...query, where: 'label' in where ? { and: [{ label }, where] } : { ...where, label } }
}
