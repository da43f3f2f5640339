import { claim } from '../claim/claim.ts'
import { Frontier } from '../claim/frontier.ts'
import { LaterVersions } from '../claim/later-versions.ts'
import type { QueueScope } from '../job/scope.ts'
import type { Executor, Outside } from './executor.ts'
import type { UnleasedBatch, UnleasedBatches } from './unleased-batches.ts'

/** Takes jobs for a worker and hands them to its executor: under leases, or in batches without. */
export class Intake {
  readonly #scope: QueueScope
  readonly #leaseMs: number
  readonly #executor: Executor
  readonly #outside: Pick<Outside, 'tell' | 'report'>
  readonly #unleased: UnleasedBatches | undefined
  readonly #frontier = new Frontier()
  readonly #laterVersions: LaterVersions
  #taken = 0

  /** @param unleased what takes batches without leases; under leases unless given. */
  constructor(
    scope: QueueScope,
    leaseMs: number,
    executor: Executor,
    outside: Pick<Outside, 'tell' | 'report'>,
    unleased?: UnleasedBatches,
  ) {
    this.#scope = scope
    this.#leaseMs = leaseMs
    this.#executor = executor
    this.#outside = outside
    this.#unleased = unleased
    this.#laterVersions = new LaterVersions(scope)
  }

  /** How many jobs were taken. */
  get taken(): number {
    return this.#taken
  }

  /** Takes what can be run soon; false when there is nothing to do until something happens. */
  async step(): Promise<boolean> {
    const wanted = this.#executor.wanted
    if (wanted === 0) return false
    const taken = await this.take(wanted, this.#frontier)
    if (taken < wanted) await this.#laterVersions.look()
    return taken === wanted
  }

  /**
   * Takes jobs; gives how many.
   *
   * @param frontier how far the worker has come; without one all are looked at.
   */
  async take(count: number, frontier?: Frontier): Promise<number> {
    const batch = await this.#unleased?.take(count)
    if (batch !== undefined) return this.#runUnleased(batch)
    const { jobs, buried, failure } = await claim(this.#scope, count, this.#leaseMs, frontier)
    if (failure !== undefined) this.#outside.report(failure)
    this.#taken += jobs.length
    for (const { job, error } of buried) this.#outside.tell('failed', job, error, true)
    return this.#executor.hold(jobs)
  }

  async #runUnleased(batch: UnleasedBatch): Promise<number> {
    const [first, ...others] = batch.jobs
    if (first === undefined) return 0
    // It starts no more.
    if (this.#executor.stopped) {
      await batch.giveBack()
      return 0
    }
    this.#taken += batch.jobs.length
    this.#executor.runUnleased([first, ...others], batch)
    return batch.jobs.length
  }

  /** Takes no more. */
  async end(): Promise<void> {
    await this.#unleased?.end()
  }
}
