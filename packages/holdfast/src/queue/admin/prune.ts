import type { Session } from '../../backend/index.ts'
import type { KeepFinished, Model } from '../../schema/index.ts'
import { all, compare, descending, equals, isDue, oneOf, outputs } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { finishedJobs, keyWindows, leases } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { forgetPastGates } from '../limits/gates.ts'

const DAY_MS = 86_400_000
const KEEP: KeepFinished & { readonly completedMs: number; readonly failedMs: number } = {
  completedMs: 7 * DAY_MS,
  failedMs: 30 * DAY_MS,
}
/** How many jobs one statement removes, so that nobody waits long for it. */
const STEP = 1_000

/**
 * Forgets finished jobs that are too old or too many, in small steps; gives how many.
 *
 * @param spareMs what finished less long ago stays in any case.
 */
export async function prune({ session, queue, declaration }: QueueScope, spareMs = 0): Promise<number> {
  const keep = { ...KEEP, ...declaration?.options.keep }
  const kinds = [
    { states: ['completed', 'cancelled'], ms: keep.completedMs, most: keep.completed },
    { states: ['failed'], ms: keep.failedMs, most: keep.failed },
  ]
  await forgetPast(session, keyWindows)
  await forgetPast(session, leases)
  const { groupRate } = declaration?.options ?? {}
  if (groupRate !== undefined) while ((await forgetPastGates(session, queue, groupRate.perMs, STEP)) === STEP);
  let pruned = 0
  // By the database's clock.
  const offset = clockOffsetMs(session)
  for (const { states, ms, most } of kinds) {
    pruned += await inSteps(session, queue, states, offset - Math.max(most === 0 ? 0 : ms, spareMs))
    const oldest = most === undefined || most === 0 ? undefined : await finishedAtOf(session, queue, states, most)
    if (oldest !== undefined) pruned += await inSteps(session, queue, states, offset - spareMs, oldest)
  }
  return pruned
}

/** Forgets jobs that finished so long ago, and before another one where that is given. */
async function inSteps(
  session: Session,
  queue: string,
  states: readonly string[],
  plusMs: number,
  before?: Date,
): Promise<number> {
  const plan = session.plan(`queue prune ${before !== undefined}`, () => ({
    kind: 'delete',
    model: finishedJobs.name,
    where: all(
      equals('queue', 0),
      oneOf('state', 1),
      isDue('finishedAt', 2),
      ...(before === undefined ? [] : [compare('finishedAt', 'lt', 4)]),
    ),
    orderBy: [],
    limit: 3,
    skipLocked: true,
    returning: [],
  }))
  const parameters = [queue, states, plusMs, STEP, ...(before === undefined ? [] : [before])]
  for (let removed = 0; ; ) {
    const { count } = await session.execute(plan, parameters)
    removed += count
    if (count < STEP) return removed
  }
}

/** Forgets rows whose time is over: windows of keys, and leases that were kept aside. */
async function forgetPast(session: Session, { name }: Model): Promise<void> {
  const plan = session.plan(`queue forget past ${name}`, () => ({
    kind: 'delete',
    model: name,
    where: isDue('until', 0),
    orderBy: [],
    limit: 1,
    skipLocked: true,
    returning: [],
  }))
  while ((await session.execute(plan, [clockOffsetMs(session), STEP])).count === STEP);
}

/** When the last of the latest so many jobs finished; undefined when there are not that many. */
async function finishedAtOf(
  session: Session,
  queue: string,
  states: readonly string[],
  most: number,
): Promise<Date | undefined> {
  const plan = session.plan('queue finished at', () => ({
    kind: 'select',
    model: finishedJobs.name,
    joins: [],
    outputs: outputs(['finishedAt']),
    where: all(equals('queue', 0), oneOf('state', 1)),
    orderBy: descending('finishedAt', 'id'),
    limit: 2,
    offset: 3,
  }))
  const { rows } = await session.execute(plan, [queue, states, 1, most - 1])
  return rows[0]?.['finishedAt'] as Date | undefined
}
