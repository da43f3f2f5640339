import { randomUUID } from 'node:crypto'
import { all, equals, isDue, not, oneOf, outputs, proposed } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { batchWorkers } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { timerMs } from '../job/timer.ts'

/** The most jobs that are run with caution for workers that were lost. */
const MOST = 1_000

/**
 * Keeps workers that take jobs in transactions from being killed by the same job for ever: what it had begun is undone with its process, so
 * nobody would count its attempts. When such a worker was lost, the next ones run as many jobs as it may have held one at a time, with leases.
 */
export class Caution {
  readonly #scope: QueueScope
  readonly #leaseMs: number
  readonly #batch: number
  readonly #id = randomUUID()
  #timer: NodeJS.Timeout | undefined
  /** Workers that were lost. */
  readonly #lost = new Set<string>()
  #left = 0

  /** @param batch how many jobs are taken in one transaction. */
  constructor(scope: QueueScope, leaseMs: number, batch: number) {
    this.#scope = scope
    this.#leaseMs = leaseMs
    this.#batch = batch
  }

  /** How many jobs are still to be run one at a time. */
  get left(): number {
    return this.#left
  }

  /** Says that this worker is there, and looks for others that were lost. */
  async look(report: (error: unknown) => void): Promise<void> {
    if (this.#timer === undefined) {
      await this.#beat()
      this.#timer = setInterval(() => void this.#beat().catch(report), timerMs(this.#leaseMs / 3))
      this.#timer.unref()
    }
    for (const { id, batch } of await this.#findLost()) {
      if (this.#lost.has(id)) continue
      this.#lost.add(id)
      this.#left = Math.min(MOST, this.#left + batch)
    }
  }

  /** There is a job among the next ones whose worker was lost. */
  suspect(): void {
    this.#left = Math.max(this.#left, this.#batch)
  }

  /** A job was begun with caution; false says that there is none. */
  began(some: boolean): void {
    this.#left = some ? this.#left - 1 : 0
  }

  /** Once what the lost workers may have held was run, nobody need be cautious because of them. */
  async settle(): Promise<void> {
    if (this.#lost.size === 0) return
    const lost = [...this.#lost]
    await this.#remove(lost)
    for (const id of lost) this.#lost.delete(id)
  }

  /** This worker ends as it should. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#timer !== undefined) await this.#remove([this.#id])
    this.#timer = undefined
  }

  async #beat(): Promise<void> {
    const { session, queue } = this.#scope
    const plan = session.plan('queue batch worker', () => ({
      kind: 'insert',
      model: batchWorkers.name,
      columns: [
        { column: 'id', value: 'given' },
        { column: 'queue', value: 'given' },
        { column: 'batch', value: 'given' },
        { column: 'until', value: 'now' },
      ],
      leading: 0,
      onConflict: { columns: ['id'], set: [proposed('until')] },
      returning: [],
    }))
    await session.execute(plan, [this.#id, queue, this.#batch, clockOffsetMs(session) + this.#leaseMs])
  }

  async #findLost(): Promise<readonly { readonly id: string; readonly batch: number }[]> {
    const { session, queue } = this.#scope
    const plan = session.plan('queue lost batch workers', () => ({
      kind: 'select',
      model: batchWorkers.name,
      joins: [],
      outputs: outputs(['id', 'batch']),
      where: all(equals('queue', 0), isDue('until', 1), not(equals('id', 2))),
      orderBy: [],
    }))
    const { rows } = await session.execute(plan, [queue, clockOffsetMs(session), this.#id])
    return rows as { id: string; batch: number }[]
  }

  async #remove(ids: readonly string[]): Promise<void> {
    const { session } = this.#scope
    const plan = session.plan('queue remove batch workers', () => ({
      kind: 'delete',
      model: batchWorkers.name,
      where: oneOf('id', 0),
      orderBy: [],
      returning: [],
    }))
    await session.execute(plan, [ids])
  }
}
