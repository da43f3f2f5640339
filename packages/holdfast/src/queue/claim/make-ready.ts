import { all, any, equals, isDue, isNull, outputs } from '../../statement/index.ts'
import { letNextThrough, settleEnds } from '../finish/bring-to-end.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { liveAmong } from '../job/find.ts'
import { hasFollowUps, mustFollow, takeFollowUps } from '../job/follow-ups.ts'
import { liveJobs } from '../job/models.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { admit, dueOfGroups, groupLimitOf, joinGroups } from '../limits/groups.ts'
import { isPaused } from '../limits/pauses.ts'
import { rescue, toWaiting, WAITING } from './leases.ts'

/** How many jobs become ready at once; the rest follow with the next call. */
const READY_BATCH = 1_000

/** How a queue stands after a look. */
export interface Readiness {
  /** Whether none of its jobs may be taken. */
  readonly paused: boolean
  /** Whether some was left for another look. */
  readonly isMore: boolean
}

/** Scheduled jobs whose time has come, and active ones whose worker is gone, wait to be taken. */
export async function makeReady(scope: QueueScope): Promise<Readiness> {
  const { session, queue } = scope
  if (session.inTransaction) {
    // One after the other: some open nested transactions, beside which nothing else can be done in this one.
    const left = [await makeDue(scope), await rescue(scope), await followUp(scope)]
    await lineUp(scope)
    return { paused: await isPaused(session, queue), isMore: left.includes(true) }
  }
  const [paused, ...left] = await Promise.all([
    isPaused(session, queue),
    makeDue(scope),
    rescue(scope),
    followUp(scope),
    lineUp(scope),
  ])
  return { paused, isMore: left.includes(true) }
}

/** Whether some was left for another look. */
async function makeDue({ session, queue }: QueueScope): Promise<boolean> {
  const plan = session.plan('queue make ready', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: toWaiting,
    where: all(
      equals('queue', 3),
      equals('state', 4),
      isDue('dueAt', 5),
      // Jobs of groups first stand in line with their group.
      any(isNull('group'), equals('admitted', 2)),
    ),
    orderBy: [],
    limit: 6,
    skipLocked: true,
    returning: [],
  }))
  const parameters = [...WAITING, queue, 'scheduled', clockOffsetMs(session), READY_BATCH]
  return (await session.execute(plan, parameters)).count === READY_BATCH
}

/** Jobs of groups whose time has come stand in line with their group. Looks first, because most queues have no groups. */
async function lineUp({ session, queue, declaration }: QueueScope): Promise<void> {
  const plan = session.plan('queue due of groups', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['id']),
    where: dueOfGroups({ queue: 0, state: 1, plusMs: 2, admitted: 3 }),
    orderBy: [],
    limit: 4,
  }))
  const { rows } = await session.execute(plan, [queue, 'scheduled', clockOffsetMs(session), false, 1])
  if (rows.length === 0) return
  await session.transaction(async (inner) => {
    const groups = await joinGroups(inner, queue)
    await admit(inner, queue, groups, groupLimitOf(declaration))
  }, OWN)
}

/** Does what follows from transactions that were committed, of whatever queue. Whether some was left for another look. */
async function followUp(scope: QueueScope): Promise<boolean> {
  const { session } = scope
  // It would only be noted again.
  if (mustFollow(session) || !(await hasFollowUps(session))) return false
  return session.transaction(async (inner) => {
    const noted = await takeFollowUps(inner, READY_BATCH)
    const ended = noted.flatMap(({ kind, about }) => (kind === 'end' ? [about] : []))
    // Those that were queued again since then have not ended.
    const live = ended.length === 0 ? new Set() : await liveAmong(inner, ended)
    const current = noted.filter(({ kind, about }) => kind !== 'end' || !live.has(about))
    for (const [queue, some] of Map.groupBy(current, (one) => one.queue)) {
      const own = { ...scope, session: inner, queue, declaration: scope.declarationOf(queue) }
      await letNextThrough(own, some)
      await settleEnds(own, some)
    }
    return noted.length === READY_BATCH
  }, OWN)
}
