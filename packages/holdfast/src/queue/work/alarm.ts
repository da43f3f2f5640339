import { timerMs } from '../../base/timer.ts'
import { all, ascending, equals, isAhead, isDue, outputs } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'

/** The soonest it rings: where this machine's clock is ahead of the database's, jobs that it holds due are looked at no more often than this. */
const SOONEST_MS = 20

/** Rings when the next scheduled job of a queue becomes due, so that a worker need not wait for its next look. */
export class Alarm {
  readonly #scope: QueueScope
  readonly #withinMs: number
  readonly #ring: () => void
  #timer: NodeJS.Timeout | undefined
  /** When it rings next, by the process's own clock. */
  #at = Number.POSITIVE_INFINITY

  /** @param withinMs how far it looks ahead: how long it is to the next look at the most. */
  constructor(scope: QueueScope, withinMs: number, ring: () => void) {
    this.#scope = scope
    this.#withinMs = withinMs
    this.#ring = ring
  }

  /**
   * Sets itself by the jobs that are scheduled. The database says which come next; how long that is, this machine's clock says.
   *
   * @param lookedMs how long ago the worker began to look for what is due: it passed over what became due since.
   */
  async set(lookedMs: number): Promise<void> {
    const { session, queue } = this.#scope
    const plan = session.plan('queue next due', () => ({
      kind: 'select',
      model: liveJobs.name,
      joins: [],
      outputs: outputs(['dueAt']),
      // What was due before that and was left is in other hands, or too much, and is looked at again soon enough.
      where: all(equals('queue', 0), equals('state', 1), isAhead('dueAt', 2), isDue('dueAt', 3)),
      orderBy: ascending('dueAt', 'id'),
      limit: 4,
    }))
    const offset = clockOffsetMs(session)
    const { rows } = await session.execute(plan, [
      queue,
      'scheduled',
      offset - lookedMs - SOONEST_MS,
      offset + this.#withinMs,
      1,
    ])
    const next = rows[0]?.['dueAt'] as Date | undefined
    if (next !== undefined) this.ringIn(next.getTime() - session.clock.now())
  }

  /** Rings in so many milliseconds, unless it rings before. */
  ringIn(ms: number = SOONEST_MS): void {
    const inMs = Math.max(ms, SOONEST_MS)
    const at = performance.now() + inMs
    if (at >= this.#at) return
    this.stop()
    this.#at = at
    this.#timer = setTimeout(() => {
      this.stop()
      this.#ring()
    }, timerMs(inMs)).unref()
  }

  /** Does not ring any more, until it is set again. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#at = Number.POSITIVE_INFINITY
  }
}
