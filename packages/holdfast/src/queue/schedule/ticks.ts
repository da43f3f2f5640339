import type { Row, Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import type { QueueDeclaration } from '../../schema/index.ts'
import { all, ascending, compare, equals, isDue, not, oneOf, outputs, setNow } from '../../statement/index.ts'
import { enqueueAll } from '../enqueue/enqueue.ts'
import type { Entry } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { latestKnown, upgradePayload } from '../job/payload.ts'
import { type CatchUp, schedules } from '../job/schedule-model.ts'
import type { QueueScope } from '../job/scope.ts'
import { dateOf, rewrite, ruleOf } from './schedules.ts'

/** How many schedules tick in one transaction. */
const BATCH = 100
/** A tick that is later than this was missed. */
const LATE_MS = 60_000

/** When the next schedule of a queue ticks, if that is within `withinMs` by the database's clock. */
export async function nextTickWithin(
  { session, queue, declaration }: QueueScope,
  withinMs: number,
): Promise<Date | null> {
  const plan = session.plan('queue next tick', () => ({
    kind: 'select',
    model: schedules.name,
    joins: [],
    outputs: outputs(['nextAt']),
    where: all(equals('queue', 0), isDue('nextAt', 1), compare('version', 'lte', 2)),
    orderBy: ascending('nextAt', 'name'),
    limit: 3,
  }))
  const withinOffset = clockOffsetMs(session) + withinMs
  const { rows } = await session.execute(plan, [queue, withinOffset, latestKnown(declaration), 1])
  return (rows[0]?.['nextAt'] as Date | undefined) ?? null
}

/**
 * Enqueues the jobs of all ticks that are due and moves their schedules on, in one transaction a batch. Gives how many schedules ticked.
 *
 * @throws ValidationError, after the others have ticked, when the payload of a schedule is refused by the queue's schema of this process, or
 *   its expression or zone cannot be read here; that tick stays due, for a process that takes it.
 */
export async function fireTicks(scope: QueueScope): Promise<number> {
  let fired = 0
  // They stay due, and are passed over.
  const refused: Refused[] = []
  for (let more = true; more; ) {
    const batch = await scope.session.transaction((inner) => fireBatch({ ...scope, session: inner }, refused), {
      isolation: 'read committed',
    })
    fired += batch.fired
    refused.push(...batch.refused)
    more = batch.fired + batch.refused.length === BATCH
  }
  const [first] = refused
  if (first !== undefined) throw first.error
  return fired
}

/** A schedule that cannot tick here. */
interface Refused {
  readonly name: string
  readonly error: unknown
}

interface Batch {
  readonly fired: number
  readonly refused: readonly Refused[]
}

async function fireBatch({ session, queue, declaration }: QueueScope, passed: readonly Refused[]): Promise<Batch> {
  const refused: Refused[] = []
  const due = (await takeDue(session, queue, latestKnown(declaration), passed)).flatMap((row) => {
    try {
      return [tickOf(row)]
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      refused.push({ name: row['name'] as string, error })
      return []
    }
  })
  const enqueued = await enqueueTicks(session, queue, declaration, due)
  if (enqueued.taken.length > 0)
    await rewrite(
      session,
      enqueued.taken.map(({ row }) => row),
    )
  return { fired: enqueued.taken.length, refused: [...refused, ...enqueued.refused] }
}

/** Schedules whose tick is due and whose payloads this process knows, locked, with the database's time in `seenAt`. */
async function takeDue(session: Session, queue: string, latest: number, passed: readonly Refused[]): Promise<Row[]> {
  const plan = session.plan('queue due schedules', () => ({
    kind: 'update',
    model: schedules.name,
    set: [setNow('seenAt', 0)],
    where: all(equals('queue', 1), isDue('nextAt', 0), compare('version', 'lte', 2), not(oneOf('name', 3))),
    orderBy: ascending('nextAt', 'name'),
    limit: 4,
    skipLocked: true,
    returning: schedules.columns.map(({ name }) => name),
  }))
  const names = passed.map(({ name }) => name)
  return (await session.execute(plan, [clockOffsetMs(session), queue, latest, names, BATCH])).rows
}

interface Tick {
  /** The schedule, moved on. */
  readonly row: Row
  /** Which form its payload has. */
  readonly version: number
  readonly entries: readonly Entry[]
}

function tickOf(row: Row): Tick {
  const { name, data, options, version } = row as { name: string; data: unknown; options: object; version: number }
  const catchUp = row['catchUp'] as CatchUp
  const rule = ruleOf(row)
  const seen = (row['seenAt'] as Date).getTime()
  const limit = catchUp === 'all' ? (row['catchUpLimit'] as number) : 1
  const slots = rule.between((row['nextAt'] as Date).getTime(), seen, limit)
  const fired = catchUp === 'none' ? slots.filter((slot) => seen - slot <= LATE_MS) : slots
  // By what this runtime knows of the zone there may have been no tick.
  const last = slots.at(-1)
  return {
    row: {
      ...row,
      nextAt: dateOf(rule.next(seen)),
      lastAt: last === undefined ? row['lastAt'] : new Date(last),
    },
    version,
    entries: fired.map((slot) => ({
      data,
      options: { ...options, runAt: new Date(slot) },
      path: `schedule ${name}`,
      due: true,
    })),
  }
}

/** Enqueues all in one statement; when a payload is refused, one schedule after the other, so that it does not keep the rest. */
async function enqueueTicks(
  session: Session,
  queue: string,
  declaration: QueueDeclaration | undefined,
  ticks: readonly Tick[],
): Promise<{ readonly taken: readonly Tick[]; readonly refused: readonly Refused[] }> {
  try {
    await enqueueAll(
      session,
      queue,
      declaration,
      ticks.flatMap((tick) => entriesOf(tick, declaration)),
    )
    return { taken: ticks, refused: [] }
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    const [only, ...others] = ticks
    if (only !== undefined && others.length === 0)
      return { taken: [], refused: [{ name: only.row['name'] as string, error }] }
    const each = []
    for (const tick of ticks) each.push(await enqueueTicks(session, queue, declaration, [tick]))
    return { taken: each.flatMap(({ taken }) => taken), refused: each.flatMap(({ refused }) => refused) }
  }
}

/**
 * The jobs of a tick, with payloads as this process makes them.
 *
 * @throws ValidationError when an earlier payload cannot be brought to its version.
 */
function entriesOf({ entries, version }: Tick, declaration: QueueDeclaration | undefined): Entry[] {
  const issues: Issue[] = []
  const upgraded = entries.map((entry) => {
    const data = upgradePayload(declaration, entry.data, version, `${entry.path}.data`, issues)
    return { ...entry, data }
  })
  if (issues.length > 0) throw new ValidationError('The payload of a schedule was refused', issues)
  return upgraded
}
