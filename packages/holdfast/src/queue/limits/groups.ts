import type { Row, Session } from '../../backend/index.ts'
import type { QueueDeclaration } from '../../schema/index.ts'
import {
  all,
  ascending,
  type Condition,
  equals,
  isDue,
  isNull,
  not,
  oneOf,
  outputs,
  set,
} from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { type FollowUp, mustFollow, noteFollowUps } from '../job/follow-ups.ts'
import { liveJobs } from '../job/models.ts'
import { forgetGates, lockGates } from './gates.ts'

/**
 * Lets the next jobs of groups through, as many as each has room for; gives their ids. In a transaction, since the gates of the groups are
 * locked: whoever adds a job and whoever ends one see each other's work. In a transaction of the caller's it is done once that is committed.
 *
 * @param limit how many jobs of a group run at once, where it is known; else what is still known from when a job was added, or one.
 */
export async function admit(
  session: Session,
  queue: string,
  groups: ReadonlySet<string>,
  limit?: number,
): Promise<ReadonlySet<string>> {
  if (groups.size === 0) return new Set()
  if (mustFollow(session)) {
    const noted = [...groups].map(
      (about): FollowUp => ({ queue, kind: 'group', about, state: null, limit: limit ?? null }),
    )
    await noteFollowUps(session, noted)
    return new Set()
  }
  const names = [...groups].sort()
  const locked = await lockGates(session, queue, names, limit)
  const limits = new Map(locked.map((row) => [row['group'] as string, row['limit'] as number]))
  const busy = await countBusy(session, queue, names)
  const free = new Map(names.map((name) => [name, (limits.get(name) as number) - (busy.get(name) ?? 0)]))
  const next = await nextOf(session, queue, free)
  const admitted = next.map((row) => row['id'] as string)
  await letThrough(session, admitted)
  const alive = new Set([...busy.keys(), ...next.map((row) => row['group'])])
  await forgetGates(
    session,
    queue,
    names.filter((name) => !alive.has(name)),
  )
  return new Set(admitted)
}

/** How many jobs of a group run at once; undefined where this process does not know. */
export function groupLimitOf(declaration: QueueDeclaration | undefined): number | undefined {
  return declaration === undefined ? undefined : (declaration.options.groupConcurrency ?? 1)
}

/** How many jobs of each group are under way: those that wait for another attempt count, so that none overtakes them. */
async function countBusy(session: Session, queue: string, groups: readonly string[]): Promise<Map<string, number>> {
  const plan = session.plan('queue busy groups', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: [...outputs(['group']), { kind: 'aggregate', name: 'n', function: 'count' }],
    // The states are said too, because there is an index by them.
    where: all(equals('queue', 0), oneOf('group', 1), oneOf('state', 2), equals('admitted', 3)),
    groupBy: ['group'],
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [queue, groups, ['waiting', 'active', 'scheduled'], true])
  return new Map(rows.map((row) => [row['group'] as string, row['n'] as number]))
}

/**
 * The first jobs of each group that are held up by nothing but their group. A statement for each group, all sent together: one for all would
 * have to sort everything that waits in them.
 */
async function nextOf(session: Session, queue: string, free: ReadonlyMap<string, number>): Promise<Row[]> {
  const plan = session.plan('queue next of group', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['id', 'group']),
    where: all(equals('queue', 0), equals('group', 1), equals('state', 2), equals('blockers', 3)),
    orderBy: ascending('precedence', 'runAt', 'id'),
    limit: 4,
  }))
  const open = [...free].filter(([, count]) => count > 0)
  const found = await Promise.all(
    open.map(([group, count]) => session.execute(plan, [queue, group, 'blocked', 0, count])),
  )
  return found.flatMap(({ rows }) => rows)
}

async function letThrough(session: Session, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const plan = session.plan('queue let through', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0), set('ready', 1), set('dueAt', 2), set('admitted', 1)],
    where: all(oneOf('id', 3), equals('state', 4)),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, ['waiting', true, null, ids, 'blocked'])
}

/** Jobs of groups whose time has come stand in line with their group; gives the groups. */
export async function joinGroups(session: Session, queue: string): Promise<ReadonlySet<string>> {
  const plan = session.plan('queue join groups', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('state', 0)],
    where: dueOfGroups({ queue: 1, state: 2, plusMs: 3, admitted: 4 }),
    orderBy: [],
    returning: ['group'],
  }))
  const { rows } = await session.execute(plan, ['blocked', queue, 'scheduled', clockOffsetMs(session), false])
  return new Set(rows.map((row) => row['group'] as string))
}

/** Jobs of groups that have no place yet and whose time has come; the numbers are parameters. */
export function dueOfGroups(at: Readonly<Record<'queue' | 'state' | 'plusMs' | 'admitted', number>>): Condition {
  return all(
    equals('queue', at.queue),
    equals('state', at.state),
    isDue('dueAt', at.plusMs),
    equals('admitted', at.admitted),
    not(isNull('group')),
  )
}
