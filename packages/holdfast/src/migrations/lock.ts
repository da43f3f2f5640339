import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Plan, Session } from '../backend/index.ts'
import { LeaseLostError, TimeoutError } from '../base/errors.ts'
import { type Model, resolveOwnModel, t, table } from '../schema/index.ts'
import { all, equals, isDue, set, setNow } from '../statement/index.ts'

/** One row: who may migrate, and until when. */
export const lockModel: Model = resolveOwnModel(
  'holdfastMigrationLock',
  table({ id: t.integer().primaryKey(), holder: t.text(), heldUntil: t.timestamp() }),
)

const THE_ROW = 1
const LEASE_MS = 15_000
const POLL_MS = 100

/**
 * The right to migrate, held by one process at a time. It ends by itself, by the database's clock, when its holder is gone; while a
 * transaction of the holder is open the row, or the database, is locked, so nobody takes it away however long that lasts.
 */
export class MigrationLock {
  readonly #holder = randomUUID()

  /**
   * Takes the lock, and waits for it.
   *
   * @throws TimeoutError
   */
  static async take(session: Session, waitMs: number): Promise<MigrationLock> {
    const lock = new MigrationLock()
    const deadline = performance.now() + waitMs
    await session.execute(insertPlan(session), [THE_ROW, '', 0])
    while (!(await lock.#try(session))) {
      if (performance.now() > deadline) throw new TimeoutError('Waiting for another process that migrates', waitMs)
      await pause(POLL_MS * (0.5 + Math.random()))
    }
    return lock
  }

  /**
   * Makes sure, inside a transaction, that the lock is still held, and holds it for longer.
   *
   * @throws LeaseLostError
   */
  async hold(session: Session): Promise<void> {
    const { count } = await session.execute(holdPlan(session), [LEASE_MS, THE_ROW, this.#holder])
    if (count !== 1) throw new LeaseLostError('the lock of migrations')
  }

  /**
   * Holds it for as long as `work` takes, outside of a transaction. What fails meanwhile is not told: whoever goes on must `hold` it again.
   */
  async keep<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => void this.hold(session).catch(() => undefined), LEASE_MS / 3)
    try {
      return await work()
    } finally {
      clearInterval(timer)
    }
  }

  /** Gives it back. */
  async release(session: Session): Promise<void> {
    await session.execute(holdPlan(session), [0, THE_ROW, this.#holder])
  }

  async #try(session: Session): Promise<boolean> {
    const { count } = await session.execute(takePlan(session), [this.#holder, LEASE_MS, THE_ROW, 0, 1])
    return count === 1
  }
}

function insertPlan(session: Session): Plan {
  return session.plan('migrations lock insert', () => ({
    kind: 'insert',
    model: lockModel.name,
    columns: [
      { column: 'id', value: 'given' },
      { column: 'holder', value: 'given' },
      { column: 'heldUntil', value: 'now' },
    ],
    leading: 0,
    onConflict: { columns: ['id'], set: [] },
    returning: [],
  }))
}

function takePlan(session: Session): Plan {
  return session.plan('migrations lock take', () => ({
    kind: 'update',
    model: lockModel.name,
    set: [set('holder', 0), setNow('heldUntil', 1)],
    where: all(equals('id', 2), isDue('heldUntil', 3)),
    orderBy: [],
    limit: 4,
    skipLocked: true,
    returning: [],
  }))
}

function holdPlan(session: Session): Plan {
  return session.plan('migrations lock hold', () => ({
    kind: 'update',
    model: lockModel.name,
    set: [setNow('heldUntil', 0)],
    where: all(equals('id', 1), equals('holder', 2)),
    orderBy: [],
    returning: [],
  }))
}
