import type { Session } from '../../backend/index.ts'
import { newId } from '../../base/ids.ts'
import { ascending, compareText, EVERYTHING, outputs } from '../../statement/index.ts'
import { followUps } from './models.ts'
import { followUpTopicOf } from './topics.ts'

/** What is to be done about a queue once the transaction that gave rise to it is committed. */
export interface FollowUp {
  readonly queue: string
  /** `group`: a group may have room for more jobs. `end`: a job has ended that others come after. */
  readonly kind: 'group' | 'end'
  /** The name of the group, or the id of the job. */
  readonly about: string
  /** How the job ended. */
  readonly state: 'completed' | 'failed' | 'cancelled' | null
  /** How many jobs of the group run at once, where that is known. */
  readonly limit: number | null
}

/**
 * Whether what follows from a change must wait until it is committed. In a transaction that is more than read committed, locking a group or
 * changing a job that comes after others would undo all of the caller's work whenever somebody else did so since it began.
 */
export function mustFollow({ isolation }: Session): boolean {
  return isolation !== 'read committed'
}

const COLUMNS = followUps.columns.map(({ name }) => name)

/** Notes what follows from a transaction; whoever makes jobs ready does it. */
export async function noteFollowUps(session: Session, rows: readonly FollowUp[]): Promise<void> {
  if (rows.length === 0) return
  const plan = session.plan('queue note follow-ups', () => ({
    kind: 'insert',
    model: followUps.name,
    columns: COLUMNS.map((column) => ({ column, value: 'given' as const })),
    leading: 0,
    returning: [],
  }))
  await session.execute(
    plan,
    rows.flatMap((row) => {
      const values: Record<string, unknown> = { ...row, id: newId() }
      return COLUMNS.map((column) => values[column])
    }),
  )
  for (const queue of new Set(rows.map((row) => row.queue))) session.notify(followUpTopicOf(queue))
}

/** Takes what is to be done, in a transaction that does it; what was noted first comes first. */
export async function takeFollowUps(session: Session, count: number): Promise<FollowUp[]> {
  const plan = session.plan('queue take follow-ups', () => ({
    kind: 'delete',
    model: followUps.name,
    where: EVERYTHING,
    orderBy: ascending('id'),
    limit: 0,
    skipLocked: true,
    returning: COLUMNS,
  }))
  const { rows } = await session.execute(plan, [count])
  rows.sort((left, right) => compareText(left['id'] as string, right['id'] as string))
  return rows as unknown as FollowUp[]
}

/** Whether there is anything to be done: most of the time there is not. */
export async function hasFollowUps(session: Session): Promise<boolean> {
  const plan = session.plan('queue has follow-ups', () => ({
    kind: 'select',
    model: followUps.name,
    joins: [],
    outputs: outputs(['id']),
    where: EVERYTHING,
    orderBy: [],
    limit: 0,
  }))
  return (await session.execute(plan, [1])).rows.length > 0
}
