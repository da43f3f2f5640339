import { UnknownOutcomeError } from '../base/errors.ts'
import type { Backend, Plan, Result, Settled } from './port.ts'

interface Waiting {
  readonly plan: Plan
  readonly parameters: readonly unknown[]
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Hears of writes that were committed, before those who made them do. */
export interface CommittedWrites {
  /** Whether anybody wants to know. */
  readonly awaited: boolean
  settled(plans: readonly Plan[]): void
}

const NOBODY: CommittedWrites = { awaited: false, settled: () => undefined }

/**
 * Gathers the calls of one tick, so that the backend can run them together: one commit for sixty-four inserts, one
 * statement for sixty-four reads by id. A lone call goes straight on when the tick's own work is done.
 */
export class Dispatcher {
  readonly #backend: Pick<Backend, 'execute' | 'executeTogether'>
  readonly #writes: CommittedWrites
  #waiting: Waiting[] = []

  constructor(backend: Pick<Backend, 'execute' | 'executeTogether'>, writes: CommittedWrites = NOBODY) {
    this.#backend = backend
    this.#writes = writes
  }

  /** Executes a plan outside a transaction. */
  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    if (plan.gathers) {
      return new Promise((resolve, reject) => {
        if (this.#waiting.push({ plan, parameters, resolve, reject }) === 1) queueMicrotask(this.#flush)
      })
    }
    const running = this.#backend.execute(plan, parameters)
    if (!isWrite(plan)) return running
    return new Promise((resolve, reject) => this.#settleWrite({ plan, parameters, resolve, reject }, running))
  }

  readonly #flush = (): void => {
    const calls = this.#waiting
    this.#waiting = []
    const [first] = calls
    if (calls.length === 1 && first !== undefined) {
      // Resolving with the promise itself would take two turns of the microtask queue more.
      const running = this.#backend.execute(first.plan, first.parameters)
      if (isWrite(first.plan)) this.#settleWrite(first, running)
      else running.then(first.resolve, first.reject)
      return
    }
    this.#backend.executeTogether(calls).then(
      (outcomes) => {
        this.#tell(calls.filter((_, index) => mayBeCommitted(outcomes[index] as Settled)))
        for (const [index, call] of calls.entries()) settle(call, outcomes[index] as Settled)
      },
      (error: unknown) => {
        if (mayBeCommitted({ error })) this.#tell(calls)
        for (const call of calls) call.reject(error)
      },
    )
  }

  #settleWrite(call: Waiting, running: Promise<Result>): void {
    running.then(
      (result) => {
        if (this.#writes.awaited) this.#writes.settled([call.plan])
        call.resolve(result)
      },
      (error: unknown) => {
        if (mayBeCommitted({ error })) this.#tell([call])
        call.reject(error)
      },
    )
  }

  #tell(calls: readonly Waiting[]): void {
    if (!this.#writes.awaited) return
    const plans = calls.map(({ plan }) => plan).filter(isWrite)
    if (plans.length > 0) this.#writes.settled(plans)
  }
}

function settle(call: Waiting, outcome: Settled): void {
  if (outcome.result === undefined) call.reject(outcome.error)
  else call.resolve(outcome.result)
}

function isWrite({ statement }: Plan): boolean {
  return statement.kind !== 'select'
}

/** Whether what came to this was committed, or nobody knows. */
export function mayBeCommitted({ error }: Settled): boolean {
  return error === undefined || error instanceof UnknownOutcomeError
}
