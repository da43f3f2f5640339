import type { Row, Session } from '../backend/index.ts'
import { all, ascending, compare, equals, isNull, oneOf, outputs, set } from '../statement/index.ts'
import { type Head, lockHead } from './head.ts'
import { type History, historyHeads } from './models.ts'
import { settle } from './settling.ts'

/** How many versions one statement removes. */
const BATCH = 1_000

/**
 * Removes versions that were replaced before a time, and the ends of records that were deleted before it. The last version of a record that
 * is there always stays.
 *
 * @returns how many were removed.
 */
export async function prune(session: Session, history: History, before: Date): Promise<number> {
  await settle(session, history)
  if (!(await hasReplaced(session, history, before))) return 0
  let removed = 0
  for (let batch = BATCH; batch >= BATCH; removed += batch) {
    batch = await session.transaction((tx) => pruneBatch(tx, history, before), { isolation: 'read committed' })
  }
  return removed
}

/** Looked at first, because taking the head's row is a write, of which others hear. */
async function hasReplaced(session: Session, { versions }: History, before: Date): Promise<boolean> {
  const plan = session.plan(`${versions.name} any replaced`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(['historyId']),
    where: compare('historyTo', 'lt', 0),
    orderBy: [],
    limit: 1,
  }))
  return (await session.execute(plan, [before, 1])).rows.length > 0
}

async function pruneBatch(session: Session, history: History, before: Date): Promise<number> {
  const { model } = history
  // Taken before any version: who settles takes the head and then versions, too.
  const head = await lockHead(session, model.name)
  const replaced = await removeReplaced(session, history, before)
  if (replaced.length === 0) return 0
  const keys = [...new Set(replaced.map((row) => row['historyKey']))]
  const removed = [...replaced, ...(await removeEnds(session, history, keys, before))]
  const last = removed.reduce((most, row) => Math.max(most, row['historySequence'] as number), 0)
  await notePruned(session, model.name, head, last, before)
  return removed.length
}

async function removeReplaced(session: Session, { versions }: History, before: Date): Promise<Row[]> {
  const plan = session.plan(`${versions.name} prune`, () => ({
    kind: 'delete',
    model: versions.name,
    where: compare('historyTo', 'lt', 0),
    orderBy: ascending('historyTo', 'historyId'),
    limit: 1,
    returning: ['historySequence', 'historyKey'],
  }))
  return (await session.execute(plan, [before, BATCH])).rows
}

/** The end of a record goes with the version before it, which it has replaced. */
async function removeEnds(session: Session, { versions }: History, keys: unknown[], before: Date): Promise<Row[]> {
  const plan = session.plan(`${versions.name} prune ends`, () => ({
    kind: 'delete',
    model: versions.name,
    where: all(
      oneOf('historyKey', 0),
      isNull('historyTo'),
      equals('historyOperation', 1),
      compare('historyFrom', 'lt', 2),
    ),
    orderBy: [],
    returning: ['historySequence'],
  }))
  return (await session.execute(plan, [keys, 'delete', before])).rows
}

/** Who reads changes on from a place before this one would miss some, and is told. Never goes back, whoever removes what first. */
async function notePruned(session: Session, model: string, head: Head, sequence: number, before: Date): Promise<void> {
  const plan = session.plan('history note pruned', () => ({
    kind: 'update',
    model: historyHeads.name,
    set: [set('pruned', 0), set('prunedBefore', 1)],
    where: equals('model', 2),
    orderBy: [],
    returning: [],
  }))
  const time = Math.max(before.getTime(), head.prunedBefore?.getTime() ?? 0)
  await session.execute(plan, [Math.max(sequence, head.pruned), new Date(time), model])
}
