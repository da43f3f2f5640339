import type { Plan, Row, Session } from '../backend/index.ts'
import { all, any, type Condition, compare, equals, not, outputs, proposed, set } from '../statement/index.ts'
import { cacheEntries } from './model.ts'

/**
 * The order of changes to the table of all caches, for those who must hear of each.
 *
 * A number that was given when a row is written would become visible in another order than the numbers', since transactions commit in any order:
 * who reads on behind 7 would miss the 6 that is committed later. So rows are written without a place, at the end of the order, where everybody
 * who looks finds them; and whoever finds many gives them the next place, behind all that were given before. What a process did
 * that died right after its commit is found like anything else, and no clock matters.
 */

/** The place of a change that nobody has given one yet: behind all others. */
export const UNPLACED: number = Number.MAX_SAFE_INTEGER

/** How many changes are given a place in one transaction. */
const BATCH = 1_000

const { name: model } = cacheEntries
const COLUMNS = cacheEntries.columns.map(({ name }) => name)
/** The row that tells the last place that was given: no cache has an empty name. */
const LAST = { cache: '', key: 'last place' }

/** A change as it is read; without a cache it tells the last place. */
export interface PlacedChange {
  readonly cache: string
  readonly key: string
  readonly longKey: string | null
  readonly generation: number
  readonly place: number
}

/** The changes by others behind a place, and the row of the last place if that has moved: all of one moment, in no order. */
export async function readChanges(
  session: Session,
  after: number,
  writer: number,
  limit: number,
): Promise<PlacedChange[]> {
  const plan = session.plan('cache changes', () => ({
    kind: 'select',
    model,
    joins: [],
    outputs: outputs(['cache', 'key', 'longKey', 'generation', 'place']),
    where: any(
      all(compare('place', 'gt', 0), compare('place', 'lt', 1), not(equals('writer', 2))),
      ...unplacedByOthers(1, 2),
    ),
    orderBy: [],
    limit: 3,
  }))
  return (await session.execute(plan, [after, UNPLACED, writer, limit])).rows as unknown as PlacedChange[]
}

/** Whether a row is the one that tells the last place, as its generation. */
export function tellsLastPlace({ cache }: PlacedChange): boolean {
  return cache === LAST.cache
}

/** The last place that was given. What is read afterwards holds every change up to it. */
export async function lastPlace(session: Session): Promise<number> {
  const plan = session.plan('cache last place', () => ({
    kind: 'select',
    model,
    joins: [],
    outputs: outputs(['generation']),
    where: all(equals('cache', 0), equals('key', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [LAST.cache, LAST.key])
  return (rows[0]?.['generation'] as number | undefined) ?? 0
}

/** Gives what others changed a place, so that the next look need not find it again. What somebody is just writing is left for later. */
export async function placeChanges(session: Session, writer: number): Promise<void> {
  for (let placed = BATCH; placed === BATCH; ) {
    placed = await session.transaction((tx) => placeBatch(tx, writer), { isolation: 'read committed' })
  }
}

async function placeBatch(session: Session, writer: number): Promise<number> {
  const place = (await lockLast(session)) + 1
  const plan = session.plan('cache place', () => ({
    kind: 'update',
    model,
    set: [set('place', 0)],
    where: any(...unplacedByOthers(1, 2)),
    orderBy: [],
    limit: 3,
    skipLocked: true,
    returning: [],
  }))
  const { count } = await session.execute(plan, [place, UNPLACED, writer, BATCH])
  if (count > 0) await moveLast(session, place)
  return count
}

/** The last place, whose row is locked until the transaction ends: so places become visible in their order. */
async function lockLast(session: Session): Promise<number> {
  const plan = session.plan('cache lock last place', () => ({
    kind: 'insert',
    model,
    columns: COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: { columns: ['cache', 'key'], set: [proposed('epoch')] },
    returning: ['generation'],
  }))
  const row: Row = {
    ...LAST,
    longKey: null,
    value: null,
    freshUntil: 0,
    keepUntil: Number.MAX_SAFE_INTEGER,
    generation: 0,
    epoch: 0,
    marks: null,
    writer: 0,
    place: 0,
  }
  const { rows } = await session.execute(
    plan,
    COLUMNS.map((name) => row[name]),
  )
  return rows[0]?.['generation'] as number
}

async function moveLast(session: Session, place: number): Promise<void> {
  const plan: Plan = session.plan('cache move last place', () => ({
    kind: 'update',
    model,
    set: [set('generation', 0), set('place', 0)],
    where: all(equals('cache', 1), equals('key', 2)),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [place, LAST.cache, LAST.key])
}

/** Two conditions, since an index finds what is less and what is greater, but not what is different: one's own may be a million. */
function unplacedByOthers(unplaced: number, writer: number): Condition[] {
  return (['lt', 'gt'] as const).map((operator) => all(equals('place', unplaced), compare('writer', operator, writer)))
}
