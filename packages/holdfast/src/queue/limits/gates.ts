import type { Row, Session } from '../../backend/index.ts'
import { all, equals, isDue, not, oneOf, proposed } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { gates } from '../job/models.ts'

const COLUMNS = gates.columns.map(({ name }) => name)
/** The group of the gate of the queue itself. */
export const WHOLE_QUEUE = ''
/** What a gate is like that nobody needed before. */
const NEW: Row = { paused: false, pausedUntil: null, used: 0 }

/**
 * Locks gates until the transaction ends, and gives their rows with the database's time in `seenAt`. They are locked in the order given, so
 * give them sorted: then no two callers wait for each other.
 *
 * @param limit how many jobs of a group run at once, where that is to be noted.
 */
export async function lockGates(
  session: Session,
  queue: string,
  groups: readonly string[],
  limit?: number,
): Promise<Row[]> {
  const plan = session.plan(`queue lock gates ${limit !== undefined}`, () => ({
    kind: 'insert',
    model: gates.name,
    columns: COLUMNS.map((column) => ({
      column,
      value: column === 'seenAt' || column === 'windowAt' ? ('now' as const) : ('given' as const),
    })),
    leading: 0,
    onConflict: {
      columns: ['queue', 'group'],
      set: [proposed('seenAt'), ...(limit === undefined ? [] : [proposed('limit')])],
    },
    returning: COLUMNS,
  }))
  const now = clockOffsetMs(session)
  const parameters = groups.flatMap((group) => {
    const row: Row = { queue, group, seenAt: now, ...NEW, limit: limit ?? 1, windowAt: now }
    return COLUMNS.map((column) => row[column])
  })
  return (await session.execute(plan, parameters)).rows
}

/** Writes gates that are locked, all in one statement. */
export async function writeGates(session: Session, rows: readonly Row[]): Promise<void> {
  const plan = session.plan('queue write gates', () => ({
    kind: 'insert',
    model: gates.name,
    columns: COLUMNS.map((column) => ({ column, value: 'given' as const })),
    leading: 0,
    onConflict: {
      columns: ['queue', 'group'],
      set: ['paused', 'pausedUntil', 'windowAt', 'used'].map(proposed),
    },
    returning: [],
  }))
  await session.execute(
    plan,
    rows.flatMap((row) => COLUMNS.map((column) => row[column])),
  )
}

/** Forgets gates that are locked, of groups in which nothing is left; except those that count jobs against a rate. */
export async function forgetGates(session: Session, queue: string, groups: readonly string[]): Promise<void> {
  if (groups.length === 0) return
  const plan = session.plan('queue forget gates', () => ({
    kind: 'delete',
    model: gates.name,
    where: all(equals('queue', 0), oneOf('group', 1), equals('used', 2)),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [queue, groups, 0])
}

/** Forgets gates of groups whose windows of a rate are over, at most so many; gives how many. They are made again when they are needed. */
export async function forgetPastGates(session: Session, queue: string, perMs: number, most: number): Promise<number> {
  const plan = session.plan('queue forget past gates', () => ({
    kind: 'delete',
    model: gates.name,
    where: all(equals('queue', 0), not(equals('group', 1)), isDue('windowAt', 2)),
    orderBy: [],
    limit: 3,
    skipLocked: true,
    returning: [],
  }))
  return (await session.execute(plan, [queue, WHOLE_QUEUE, clockOffsetMs(session) - perMs, most])).count
}
