import { randomUUID } from 'node:crypto'
import { timerMs } from '../../base/timer.ts'
import { all, equals, isDue, outputs, proposed } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { workers } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'

/** For how many leases it is remembered that a worker was lost. */
const REMEMBERED = 20

/**
 * What a worker that takes jobs without leases writes of itself: how long it will be there unless it gives another sign of life. When its
 * process dies nothing is left of the jobs that it had, so this is how others learn that it did, perhaps because of one of them.
 */
export class Presence {
  readonly #scope: QueueScope
  readonly #leaseMs: number
  readonly #report: (error: unknown) => void
  readonly #id = randomUUID()
  #begun: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #othersWereLost = false

  constructor(scope: QueueScope, leaseMs: number, report: (error: unknown) => void) {
    this.#scope = scope
    this.#leaseMs = leaseMs
    this.#report = report
  }

  /** Whether workers of the queue were lost not long ago. */
  get othersWereLost(): boolean {
    return this.#othersWereLost
  }

  /** Gives signs of life from now on; the first one when this resolves. */
  begin(): Promise<void> {
    this.#begun ??= this.#beat().then(
      () => {
        const beat = () => void this.#beat().catch(this.#report)
        this.#timer = setInterval(beat, timerMs(this.#leaseMs / 3)).unref()
      },
      (error: unknown) => {
        this.#begun = undefined
        throw error
      },
    )
    return this.#begun
  }

  /** Takes leave. */
  async end(): Promise<void> {
    if (this.#begun === undefined) return
    await this.#begun.catch(() => undefined)
    clearInterval(this.#timer)
    this.#begun = undefined
    const { session } = this.#scope
    const plan = session.plan('queue worker left', () => ({
      kind: 'delete',
      model: workers.name,
      where: equals('id', 0),
      orderBy: [],
      returning: [],
    }))
    await session.execute(plan, [this.#id])
  }

  async #beat(): Promise<void> {
    const { session, queue } = this.#scope
    const offset = clockOffsetMs(session)
    const write = session.plan('queue worker is there', () => ({
      kind: 'insert',
      model: workers.name,
      columns: [
        { column: 'id', value: 'given' },
        { column: 'queue', value: 'given' },
        { column: 'until', value: 'now' },
      ],
      leading: 0,
      onConflict: { columns: ['id'], set: [proposed('until')] },
      returning: [],
    }))
    await session.execute(write, [this.#id, queue, offset + this.#leaseMs])
    const forget = session.plan('queue workers forget', () => ({
      kind: 'delete',
      model: workers.name,
      where: all(equals('queue', 0), isDue('until', 1)),
      orderBy: [],
      returning: [],
    }))
    await session.execute(forget, [queue, offset - REMEMBERED * this.#leaseMs])
    const look = session.plan('queue workers lost', () => ({
      kind: 'select',
      model: workers.name,
      joins: [],
      outputs: outputs(['id']),
      where: all(equals('queue', 0), isDue('until', 1)),
      orderBy: [],
      limit: 2,
    }))
    const { rows } = await session.execute(look, [queue, offset, 1])
    this.#othersWereLost = rows.length > 0
  }
}
