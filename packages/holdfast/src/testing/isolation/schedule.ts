import { setTimeout as sleep } from 'node:timers/promises'
import type { Storage, Transaction, TransactionOptions } from '../../index.ts'
import type { accountsSchema } from './accounts.ts'

type S = typeof accountsSchema

/** What one transaction of a scenario does, step by step; a value that a step gives is one that it read. */
export type Steps = readonly ((tx: Transaction<S>) => Promise<unknown>)[]

/** Several transactions, and the order in which their steps are let go. */
export interface Scenario {
  readonly id: string
  readonly title: string
  /** Values by id; 1 holds 10 and 2 holds 20 unless given. */
  readonly initial?: Readonly<Record<number, number>>
  readonly transactions: Readonly<Record<string, Steps>>
  /** Which transaction goes on; the one after a transaction's last step commits it. */
  readonly order: readonly string[]
  /** Why what happened fits no serial order; null when it does. */
  readonly anomaly: (history: History) => string | null
}

/** What became of a scenario: only what committed counts. */
export interface History {
  readonly committed: ReadonlySet<string>
  /** What the steps of committed transactions gave, in their order. */
  readonly reads: Readonly<Record<string, readonly unknown[]>>
  /** The values at the end, by id. */
  readonly final: Readonly<Record<number, number>>
}

/** A step that has not ended after so long is blocked by another transaction; the others go on. */
const BLOCKED_MS = 120

/** Runs a scenario, with the retries and at the isolation that the options say. */
export async function runScenario(
  storage: Storage<S>,
  scenario: Scenario,
  options: TransactionOptions,
): Promise<History> {
  const accounts = storage.repository('accounts')
  const initial = scenario.initial ?? { 1: 10, 2: 20 }
  await accounts.createMany(Object.entries(initial).map(([id, value]) => ({ id: Number(id), value })))
  const running = new Map(
    Object.entries(scenario.transactions).map(([name, steps]) => [name, new Stepper(storage, steps, options)]),
  )
  for (const name of scenario.order) await (running.get(name) as Stepper).step()
  const committed = new Set<string>()
  const reads: Record<string, readonly unknown[]> = {}
  for (const [name, stepper] of running) {
    if (!(await stepper.finish())) continue
    committed.add(name)
    reads[name] = stepper.reads
  }
  const final = Object.fromEntries((await accounts.find()).map(({ id, value }) => [id, value]))
  return { committed, reads, final }
}

/** One transaction that goes on when it is told to. After a conflict it runs again without waiting to be told. */
class Stepper {
  reads: unknown[] = []
  readonly #gates: PromiseWithResolvers<void>[]
  readonly #done: PromiseWithResolvers<void>[]
  readonly #outcome: Promise<boolean>
  #at = 0

  constructor(storage: Storage<S>, steps: Steps, options: TransactionOptions) {
    this.#gates = Array.from({ length: steps.length + 1 }, () => Promise.withResolvers<void>())
    this.#done = steps.map(() => Promise.withResolvers<void>())
    this.#outcome = this.#run(storage, steps, options)
  }

  async step(): Promise<void> {
    const at = this.#at++
    this.#gates[at]?.resolve()
    const done = this.#done[at]?.promise ?? this.#outcome
    await Promise.race([done, this.#outcome, sleep(BLOCKED_MS)])
  }

  async finish(): Promise<boolean> {
    for (const gate of this.#gates) gate.resolve()
    return this.#outcome
  }

  async #run(storage: Storage<S>, steps: Steps, options: TransactionOptions): Promise<boolean> {
    await this.#gates[0]?.promise
    const work = async (tx: Transaction<S>) => {
      this.reads = []
      for (const [index, step] of steps.entries()) {
        await this.#gates[index]?.promise
        this.reads.push(await step(tx))
        this.#done[index]?.resolve()
      }
      await this.#gates[steps.length]?.promise
    }
    return storage.transaction(work, options).then(
      () => true,
      () => false,
    )
  }
}
