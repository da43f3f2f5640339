import type { Call, Result, Settled } from '../../backend/index.ts'
import type { Autocommit } from './autocommit.ts'
import type { Commands } from './commands.ts'
import { endsSession, type Failure, isServerError, type Request } from './exchange.ts'
import { groupsOf, type OwnCall, together } from './grouping.ts'
import type { PostgresPlan } from './plan.ts'
import type { LinkPool } from './pool.ts'

/**
 * A row that somebody else has locked must not hold up the other callers, who know nothing of it: after a tenth of a second the calls
 * of the group run alone.
 */
const LOCK_GUARD = `select set_config('lock_timeout', '100ms', true)`

/** What says that the others of a group were in the way, rather than that something is wrong: lock timeouts and deadlocks. */
const IN_THE_WAY = new Set(['55P03', '40P01', '40001', '57014'])

/**
 * Runs calls outside transactions, many at once where that is faster: selects by a unique key as one statement, rows to insert as one
 * statement, other writes as statements that are sent and committed together. Each caller gets what it would have got alone.
 *
 * ```
 *   a session is free ──▶ the calls of one tick, grouped
 *   none is free      ──▶ they wait, and calls of later ticks with them, until one is: then all of them, grouped
 *   a group fails     ──▶ each half of it again, until the call that fails is alone; nothing of a failed group took effect
 * ```
 */
export class Gatherer {
  readonly #pool: LinkPool
  readonly #autocommit: Autocommit
  readonly #guard: Request
  #waiting: { readonly call: OwnCall; readonly settle: (outcome: Settled) => void }[] = []

  constructor(pool: LinkPool, autocommit: Autocommit, commands: Commands) {
    this.#pool = pool
    this.#autocommit = autocommit
    this.#guard = commands.request(LOCK_GUARD)
  }

  /** Runs one call. */
  execute(plan: PostgresPlan, parameters: readonly unknown[]): Promise<Result> {
    return !plan.gathers || this.#pool.hasRoom ? this.#alone(plan, parameters) : this.#waited(plan, parameters)
  }

  /** Runs calls of plans that gather; gives their outcomes in order. */
  executeTogether(calls: readonly Call[]): Promise<Settled[]> {
    const own = calls as readonly OwnCall[]
    return this.#pool.hasRoom ? this.#grouped(own) : Promise.all(own.map((call) => this.#later(call)))
  }

  async #alone(plan: PostgresPlan, parameters: readonly unknown[]): Promise<Result> {
    const requests = plan.requestsAlone(parameters)
    if (requests.length === 0) return { rows: [], count: 0 }
    const { replies, failure } = await this.#autocommit.run(requests, plan.writes)
    if (failure !== undefined) throw this.#autocommit.errorOf(failure, plan.writes, plan.statement)
    return plan.result(replies)
  }

  async #waited(plan: PostgresPlan, parameters: readonly unknown[]): Promise<Result> {
    const outcome = await this.#later({ plan, parameters })
    if (outcome.result === undefined) throw outcome.error
    return outcome.result
  }

  #later(call: OwnCall): Promise<Settled> {
    return new Promise((settle) => {
      if (this.#waiting.push({ call, settle }) === 1) void this.#whenFree()
    })
  }

  /** Waits for a session; whatever has gathered by then goes together. */
  async #whenFree(): Promise<void> {
    let refusal: unknown
    try {
      await this.#pool.use(async () => undefined)
    } catch (error) {
      refusal = error
    }
    const waiting = this.#waiting
    this.#waiting = []
    const outcomes =
      refusal === undefined
        ? await this.#grouped(waiting.map(({ call }) => call))
        : waiting.map(() => ({ error: refusal }))
    for (const [index, { settle }] of waiting.entries()) settle(outcomes[index] as Settled)
  }

  async #grouped(calls: readonly OwnCall[]): Promise<Settled[]> {
    const outcomes = new Map<OwnCall, Settled>()
    const running = groupsOf(calls).map(async (group) => {
      const settled = await this.#settled(group)
      for (const [index, call] of group.entries()) outcomes.set(call, settled[index] as Settled)
    })
    await Promise.all(running)
    return calls.map((call) => outcomes.get(call) as Settled)
  }

  async #settled(calls: readonly OwnCall[]): Promise<Settled[]> {
    if (calls.length === 1) return this.#allAlone(calls)
    try {
      const { requests, outcomes } = together(calls, this.#guard)
      const { replies, failure } = await this.#autocommit.run(
        requests,
        calls.some(({ plan }) => plan.writes),
      )
      return failure === undefined ? outcomes(replies) : await this.#apart(calls, failure)
    } catch (error) {
      return calls.map(() => ({ error }))
    }
  }

  async #apart(calls: readonly OwnCall[], failure: Failure): Promise<Settled[]> {
    const { error, fate } = failure
    if (fate !== 'refused' || !isServerError(error) || endsSession(error)) {
      return calls.map(({ plan }) => ({ error: this.#autocommit.errorOf(failure, plan.writes, plan.statement) }))
    }
    if (IN_THE_WAY.has(error.code)) return this.#allAlone(calls)
    const middle = Math.ceil(calls.length / 2)
    const first = await this.#settled(calls.slice(0, middle))
    return [...first, ...(await this.#settled(calls.slice(middle)))]
  }

  async #allAlone(calls: readonly OwnCall[]): Promise<Settled[]> {
    const settled = await Promise.allSettled(calls.map(({ plan, parameters }) => this.#alone(plan, parameters)))
    return settled.map((outcome) =>
      outcome.status === 'fulfilled' ? { result: outcome.value } : { error: outcome.reason as unknown },
    )
  }
}
