import type { CommitListener, CommittedWrites, Plan } from '../backend/index.ts'
import type { Models } from '../schema/index.ts'
import { writtenModels } from './written-models.ts'

/** SQL that a glance tells to be a read: one select, without `into`. What functions do that it calls cannot be seen. */
const PLAINLY_A_SELECT = /^\s*select\b(?![\s\S]*(?:;\s*\S|\binto\b))/i

/** Tells who listens what was committed. While nobody does, it costs nothing. */
export class Committed implements CommittedWrites {
  readonly #models: Models
  readonly #listeners = new Set<{ readonly listener: CommitListener }>()

  constructor(models: Models) {
    this.#models = models
  }

  get awaited(): boolean {
    return this.#listeners.size > 0
  }

  /** Calls back after every commit from now on; gives the function that ends it. */
  listen(listener: CommitListener): () => void {
    const entry = { listener }
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  /** Tells of writes outside a transaction that were committed. */
  settled(plans: readonly Plan[]): void {
    if (!this.awaited) return
    const written = new Written()
    for (const plan of plans) written.add(plan)
    this.tell(written.names(this.#models))
  }

  /** Tells of SQL outside a transaction. */
  settledSql(text: string): void {
    if (this.awaited && !PLAINLY_A_SELECT.test(text)) this.tell(new Set(this.#models.keys()))
  }

  /** Tells of what a transaction wrote. */
  settledTransaction(written: Written): void {
    if (this.awaited) this.tell(written.names(this.#models))
  }

  /** Tells of models, if there are any. What a listener throws cannot undo the commit, and is an uncaught exception. */
  tell(models: ReadonlySet<string>): void {
    if (models.size === 0) return
    for (const { listener } of [...this.#listeners]) {
      try {
        listener(models)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

/** What a transaction has written so far. */
export class Written {
  #plans: Set<Plan> | undefined
  #anything = false

  /** Remembers a statement, if it writes. */
  add(plan: Plan): void {
    if (plan.statement.kind === 'select') return
    this.#plans ??= new Set()
    this.#plans.add(plan)
  }

  /** Remembers SQL, which may write anything. */
  addSql(text: string): void {
    if (!PLAINLY_A_SELECT.test(text)) this.#anything = true
  }

  /** Remembers what a part wrote that was nested. */
  addAll(other: Written): void {
    for (const plan of other.#plans ?? []) this.add(plan)
    if (other.#anything) this.#anything = true
  }

  /** The names of the models, those that foreign keys reach included. */
  names(models: Models): ReadonlySet<string> {
    if (this.#anything) return new Set(models.keys())
    const [only, second] = this.#plans ?? []
    if (only !== undefined && second === undefined) return writtenModels(only.statement, models)
    const names = new Set<string>()
    for (const { statement } of this.#plans ?? []) {
      for (const name of writtenModels(statement, models)) names.add(name)
    }
    return names
  }
}
