import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Row, type Session, together } from '../backend/index.ts'
import { newId } from '../base/ids.ts'
import type { Model } from '../schema/index.ts'
import { type GraphContext, partsOf } from './context.ts'

/** How many rows are written at a time, so that others get their turn in between. */
const ROWS_A_STATEMENT = 5_000

/** The whole record of a node or an edge. */
const records = {
  nodes: ({ id = newId(), label, data }: Row, now: number): Row => ({
    id,
    label,
    data,
    createdAt: new Date(now),
    updatedAt: new Date(now),
  }),
  edges: ({ id = newId(), source, relation, target, data }: Row, now: number): Row => ({
    id,
    source,
    relation,
    target,
    data,
    createdAt: new Date(now),
    updatedAt: new Date(now),
  }),
}

/** Inserts nodes or edges whose every value was checked, all or none, and gives them back as records; ids are made where there are none. */
export async function insertChecked(
  context: GraphContext,
  kind: 'nodes' | 'edges',
  rows: readonly Row[],
): Promise<Row[]> {
  const model = context.models[kind]
  if (rows.length === 0) return []
  if (rows.length <= ROWS_A_STATEMENT) return insert(context.session, kind, model, rows)
  return together(context.session, async (session) => {
    const inserted: Row[] = []
    for (const part of partsOf(rows, ROWS_A_STATEMENT)) {
      for (const row of await insert(session, kind, model, part)) inserted.push(row)
      await nextTurn()
    }
    return inserted
  })
}

async function insert(session: Session, kind: 'nodes' | 'edges', model: Model, rows: readonly Row[]): Promise<Row[]> {
  const plan = session.plan(`${model.name} insert`, () => ({
    kind: 'insert',
    model: model.name,
    columns: model.columns.map(({ name }) => ({ column: name, value: 'given' })),
    leading: 0,
    returning: [],
  }))
  const now = session.clock.now()
  const inserted = rows.map((row) => records[kind](row, now))
  const values: unknown[] = []
  for (const record of inserted) for (const { name } of model.columns) values.push(record[name])
  await session.execute(plan, values)
  return inserted
}
