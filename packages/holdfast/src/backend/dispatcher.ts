import type { Backend, Plan, Result, Settled } from './port.ts'

interface Waiting {
  readonly plan: Plan
  readonly parameters: readonly unknown[]
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers the calls of one tick, so that the backend can run them together: one commit for sixty-four inserts, one
 * statement for sixty-four reads by id. A lone call goes straight on when the tick's own work is done.
 */
export class Dispatcher {
  readonly #backend: Pick<Backend, 'execute' | 'executeTogether'>
  #waiting: Waiting[] = []

  constructor(backend: Pick<Backend, 'execute' | 'executeTogether'>) {
    this.#backend = backend
  }

  /** Executes a plan outside a transaction. */
  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    if (!plan.gathers) return this.#backend.execute(plan, parameters)
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ plan, parameters, resolve, reject }) === 1) queueMicrotask(this.#flush)
    })
  }

  readonly #flush = (): void => {
    const calls = this.#waiting
    this.#waiting = []
    const [first] = calls
    if (calls.length === 1 && first !== undefined) {
      // Resolving with the promise itself would take two turns of the microtask queue more.
      this.#backend.execute(first.plan, first.parameters).then(first.resolve, first.reject)
      return
    }
    this.#backend.executeTogether(calls).then(
      (outcomes) => {
        for (const [index, call] of calls.entries()) settle(call, outcomes[index] as Settled)
      },
      (error: unknown) => {
        for (const call of calls) call.reject(error)
      },
    )
  }
}

function settle(call: Waiting, outcome: Settled): void {
  if (outcome.result === undefined) call.reject(outcome.error)
  else call.resolve(outcome.result)
}
