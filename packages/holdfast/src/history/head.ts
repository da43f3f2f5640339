import type { Session } from '../backend/index.ts'
import { equals, outputs, proposed } from '../statement/index.ts'
import { historyHeads } from './models.ts'

const COLUMNS = historyHeads.columns.map(({ name }) => name)

/** How far the changes of a model are settled, and how far they were removed. */
export interface Head {
  readonly sequence: number
  readonly pruned: number
  readonly prunedBefore: Date | null
}

/** The head of a model's changes; that of one that never changed is where all begin. */
export async function readHead(session: Session, model: string): Promise<Head> {
  const plan = session.plan('history head', () => ({
    kind: 'select',
    model: historyHeads.name,
    joins: [],
    outputs: outputs(['sequence', 'pruned', 'prunedBefore']),
    where: equals('model', 0),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [model])
  return (rows[0] as Head | undefined) ?? { sequence: 0, pruned: 0, prunedBefore: null }
}

/** The head of a model's changes, locked: others that settle its versions, or remove some, wait until the transaction ends. */
export async function lockHead(session: Session, model: string): Promise<Head> {
  const plan = session.plan('history lock head', () => ({
    kind: 'insert',
    model: historyHeads.name,
    columns: COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: { columns: ['model'], set: [proposed('model')] },
    returning: COLUMNS,
  }))
  const { rows } = await session.execute(plan, [model, 0, 0, null])
  return rows[0] as unknown as Head
}
