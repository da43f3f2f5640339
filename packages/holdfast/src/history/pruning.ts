import type { Session } from '../backend/index.ts'
import { readHead } from './head.ts'
import { type History, historyHeads } from './models.ts'
import { settle } from './settling.ts'
import { all, any, compare, equals, field, isNull, not } from './statements.ts'

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
  let removed = 0
  for (let batch = BATCH; batch === BATCH; removed += batch) {
    batch = await session.transaction((tx) => pruneBatch(tx, history, before), { isolation: 'read committed' })
  }
  return removed
}

async function pruneBatch(session: Session, { model, versions }: History, before: Date): Promise<number> {
  const plan = session.plan(`${versions.name} prune`, () => ({
    kind: 'delete',
    model: versions.name,
    where: all(
      not(isNull('historySequence')),
      any(
        compare('historyTo', 'lt', 0),
        all(isNull('historyTo'), equals('historyOperation', 1), compare('historyFrom', 'lt', 0)),
      ),
    ),
    orderBy: [{ field: field('historySequence'), direction: 'asc' }],
    limit: 2,
    skipLocked: true,
    returning: ['historySequence'],
  }))
  const { rows } = await session.execute(plan, [before, 'delete', BATCH])
  const last = rows.reduce((most, row) => Math.max(most, row['historySequence'] as number), 0)
  if (last > 0) await notePruned(session, model.name, last, before)
  return rows.length
}

/** Who reads changes on from a place before this one would miss some, and is told. */
async function notePruned(session: Session, model: string, sequence: number, before: Date): Promise<void> {
  const plan = session.plan('history note pruned', () => ({
    kind: 'update',
    model: historyHeads.name,
    set: (['pruned', 'prunedBefore'] as const).map((column, parameter) => ({
      field: field(column),
      operation: 'set' as const,
      operand: { kind: 'parameter' as const, parameter },
    })),
    where: equals('model', 2),
    orderBy: [],
    returning: [],
  }))
  const head = await readHead(session, model)
  const time = Math.max(before.getTime(), head.prunedBefore?.getTime() ?? 0)
  await session.execute(plan, [Math.max(sequence, head.pruned), new Date(time), model])
}
