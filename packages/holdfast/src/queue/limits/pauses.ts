import type { Row, Session } from '../../backend/index.ts'
import { all, any, equals, isAhead, isNull, outputs } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { gates } from '../job/models.ts'
import { OWN } from '../job/scope.ts'
import { lockGates, WHOLE_QUEUE, writeGates } from './gates.ts'

/** Whether a queue is paused. */
export async function isPaused(session: Session, queue: string): Promise<boolean> {
  const plan = session.plan('queue is paused', () => ({
    kind: 'select',
    model: gates.name,
    joins: [],
    outputs: outputs(['paused']),
    where: all(
      equals('queue', 0),
      equals('group', 1),
      equals('paused', 2),
      any(isNull('pausedUntil'), isAhead('pausedUntil', 3)),
    ),
    orderBy: [],
  }))
  return (await session.execute(plan, [queue, WHOLE_QUEUE, true, clockOffsetMs(session)])).rows.length > 0
}

/** Pauses a queue: until that is ended, or for so long where given. A pause that lasts longer stays. */
export function pause(session: Session, queue: string, forMs: number | undefined): Promise<void> {
  return change(session, queue, ({ seenAt, paused, pausedUntil }) => {
    if (forMs === undefined) return { paused: true, pausedUntil: null }
    const until = new Date((seenAt as Date).getTime() + forMs)
    const isLonger = paused === true && (pausedUntil === null || (pausedUntil as Date) > until)
    return isLonger ? {} : { paused: true, pausedUntil: until }
  })
}

/** Ends the pause of a queue. */
export function resume(session: Session, queue: string): Promise<void> {
  return change(session, queue, () => ({ paused: false, pausedUntil: null }))
}

function change(session: Session, queue: string, to: (gate: Row) => Row): Promise<void> {
  return session.transaction(async (inner) => {
    const [gate] = (await lockGates(inner, queue, [WHOLE_QUEUE])) as [Row]
    await writeGates(inner, [{ ...gate, ...to(gate) }])
  }, OWN)
}
