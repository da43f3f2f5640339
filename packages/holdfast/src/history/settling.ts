import { setImmediate } from 'node:timers/promises'
import type { Session } from '../backend/index.ts'
import { all, ascending, equals, isNull, not, oneOf, outputs, proposed, set } from '../statement/index.ts'
import { lockHead } from './head.ts'
import { type History, historyHeads, OWN_COLUMNS } from './models.ts'

/** How many versions one transaction settles. */
const BATCH = 500

/** What settling reads and writes of a version. */
const SETTLED = ['historyOperation', 'historyFrom', 'historyTo', 'historyVersion', 'historySequence']

/** Null for all of them, but said, so that the index is walked that has them together: they are few among many. */
const UNSETTLED_ORDER = ascending('historySequence', 'historyId')

interface Version {
  historyId: number
  historyKey: string
  historyOperation: string
  historyTransaction: string
  historyFrom: Date
  historyTo: Date | null
  historyVersion: number | null
  historySequence: number | null
}

/**
 * Settles all versions that are committed by now. Each gets the next version of its record and the next place in the order of changes, and
 * the version before it ends where it begins.
 *
 * A place given before the commit would be seen in another order than the commits': who reads on from place 7 would miss the 6 that is
 * committed later. After the commit, whoever settles next gives a place behind all that were given before.
 */
export async function settle(session: Session, history: History): Promise<void> {
  while (await hasUnsettled(session, history)) {
    await session.transaction((tx) => settleBatch(tx, history), { isolation: 'read committed' })
    // A backend in this process runs on at once, and others want their turn.
    await setImmediate()
  }
}

/** Looked at first, because taking the head's row is a write, of which others hear. */
async function hasUnsettled(session: Session, { versions }: History): Promise<boolean> {
  const plan = session.plan(`${versions.name} any unsettled`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(['historyId']),
    where: isNull('historySequence'),
    orderBy: UNSETTLED_ORDER,
    limit: 0,
  }))
  return (await session.execute(plan, [1])).rows.length > 0
}

async function settleBatch(session: Session, history: History): Promise<void> {
  const head = await lockHead(session, history.model.name)
  const unsettled = await readUnsettled(session, history)
  if (unsettled.length === 0) return
  const last = new Map((await readLast(session, history, unsettled)).map((version) => [version.historyKey, version]))
  const changed = new Set<Version>()
  let { sequence } = head
  for (const version of inOrder(unsettled)) {
    const before = last.get(version.historyKey)
    const wasThere = before !== undefined && before.historyOperation !== 'delete'
    if (version.historyOperation === 'write') version.historyOperation = wasThere ? 'update' : 'create'
    if (before !== undefined) {
      // Clocks differ, and the versions of a record follow each other all the same.
      if (before.historyFrom > version.historyFrom) version.historyFrom = before.historyFrom
      before.historyTo = version.historyFrom
      changed.add(before)
    }
    version.historyVersion = (before?.historyVersion ?? 0) + 1
    version.historySequence = ++sequence
    changed.add(version)
    last.set(version.historyKey, version)
  }
  await writeSettled(session, history, [...changed])
  await moveHead(session, history, sequence)
}

async function readUnsettled(session: Session, { versions, model }: History): Promise<Version[]> {
  const plan = session.plan(`${versions.name} unsettled`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs([...OWN_COLUMNS, ...model.primaryKey]),
    where: isNull('historySequence'),
    orderBy: UNSETTLED_ORDER,
    limit: 0,
  }))
  return (await session.execute(plan, [BATCH])).rows as unknown as Version[]
}

/** The last settled versions of the same records. */
async function readLast(
  session: Session,
  { versions, model }: History,
  unsettled: readonly Version[],
): Promise<Version[]> {
  const column = model.primaryKey.length === 1 ? (model.primaryKey[0] as keyof Version) : 'historyKey'
  const plan = session.plan(`${versions.name} last`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(OWN_COLUMNS),
    where: all(oneOf(column, 0), isNull('historyTo'), not(isNull('historySequence'))),
    orderBy: [],
  }))
  const keys = [...new Map(unsettled.map((version) => [version.historyKey, version[column]])).values()]
  return (await session.execute(plan, [keys])).rows as unknown as Version[]
}

/** By transaction, and within each as they were made. A transaction that saw another one's commit stands behind it. */
function inOrder(versions: readonly Version[]): Version[] {
  const lastOf = new Map<string, number>()
  for (const { historyTransaction, historyId } of versions) lastOf.set(historyTransaction, historyId)
  const place = ({ historyTransaction }: Version): number => lastOf.get(historyTransaction) as number
  return versions.toSorted((left, right) => place(left) - place(right) || left.historyId - right.historyId)
}

async function writeSettled(session: Session, { versions }: History, settled: readonly Version[]): Promise<void> {
  const plan = session.plan(`${versions.name} settle`, () => ({
    kind: 'insert',
    model: versions.name,
    columns: OWN_COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: { columns: ['historyId'], set: SETTLED.map(proposed) },
    returning: [],
  }))
  await session.execute(
    plan,
    settled.flatMap((version) => OWN_COLUMNS.map((column) => version[column as keyof Version])),
  )
}

async function moveHead(session: Session, { model }: History, sequence: number): Promise<void> {
  const plan = session.plan('history move head', () => ({
    kind: 'update',
    model: historyHeads.name,
    set: [set('sequence', 0)],
    where: equals('model', 1),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [sequence, model.name])
}
