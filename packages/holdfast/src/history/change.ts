import type { Row, Session } from '../backend/index.ts'
import { newId } from '../base/ids.ts'
import { cloneJson, type Model } from '../schema/index.ts'
import { type History, keyText } from './models.ts'

/** What was done to a record; `write` where it is not known whether it was there before. */
export type Operation = 'create' | 'update' | 'delete' | 'write'

/** A change of one record: what it is now, or was last. */
export interface Change {
  readonly operation: Operation
  readonly key: string
  /** The values of the model's columns, in order. */
  readonly values: readonly unknown[]
}

/** The change that a row tells of. Its values are copied, because whoever got the row may change it before the commit. */
export function changeOf(model: Model, operation: Operation, row: Row): Change {
  const values = model.columns.map(({ name, type }) => copyOf(row[name] ?? null, type))
  return { operation, key: keyOfRow(model, row), values }
}

/** The key of a row, as text. */
export function keyOfRow(model: Model, row: Row): string {
  return keyText(model.primaryKey.map((name) => row[name]))
}

function copyOf(value: unknown, type: string): unknown {
  if (type === 'json') return cloneJson(value)
  if (value instanceof Date) return new Date(value)
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

const transactions = new WeakMap<Session, string>()

/** A name for the transaction that is about to commit, the same for all models. */
function transactionId(session: Session): string {
  let id = transactions.get(session)
  if (id === undefined) {
    id = newId()
    transactions.set(session, id)
  }
  return id
}

/** Writes the changes of a transaction into the history of one model, in one statement. */
export async function writeChanges(
  session: Session,
  { model, versions }: History,
  changes: readonly Change[],
): Promise<void> {
  const plan = session.plan(`${versions.name} record`, () => ({
    kind: 'insert',
    model: versions.name,
    columns: [
      ...['historyKey', 'historyOperation', 'historyActor', 'historyTransaction', 'historyFrom'],
      ...model.columns.map(({ name }) => name),
    ].map((column) => ({ column, value: 'given' as const })),
    leading: 0,
    returning: [],
  }))
  const { actor } = session
  const transaction = transactionId(session)
  const from = new Date(session.clock.now())
  await session.execute(
    plan,
    changes.flatMap(({ key, operation, values }) => [key, operation, actor, transaction, from, ...values]),
  )
}
