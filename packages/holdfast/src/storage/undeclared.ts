import type { CommitListener, Plan, Result, RetryingTransactionOptions, Row, Session } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import { describe, documents, type Model, resolveModel } from '../schema/index.ts'

/**
 * The model of a name that the schema does not declare: a documents collection, made at its first use.
 *
 * @throws ConfigurationError where collections are not made by themselves, or the name cannot be one.
 */
export function undeclaredModel(name: string, models: Map<string, Model>, autoCreate: boolean): Model {
  if (typeof name !== 'string') {
    throw new ConfigurationError(`A collection is named by text, got ${describe(name)}.`, { hint: 'Give its name.' })
  }
  if (!autoCreate) {
    const known = [...models.keys()].join(', ')
    throw new ConfigurationError(
      `The schema declares no table or documents called ${JSON.stringify(name)}; it has ${known}.`,
      {
        hint: 'Declare it in the schema, or open the storage with autoCreate: true.',
      },
    )
  }
  const model = resolveModel(name, documents())
  const other = [...models.values()].find(({ table }) => table.toLowerCase() === model.table.toLowerCase())
  if (other !== undefined) {
    throw new ConfigurationError(`The collection ${JSON.stringify(name)} would have the table of ${other.name}.`, {
      hint: `Use ${JSON.stringify(other.name)}, or choose another name.`,
    })
  }
  models.set(name, model)
  return model
}

/** A session that makes sure that the tables of some models exist before the first call. */
export class EnsuringSession implements Session {
  readonly #inner: Session
  readonly #models: readonly Model[]
  #ensured: Promise<void> | undefined

  constructor(inner: Session, models: readonly Model[]) {
    this.#inner = inner
    this.#models = models
  }

  get models(): Session['models'] {
    return this.#inner.models
  }

  get traits(): Session['traits'] {
    return this.#inner.traits
  }

  get clock(): Session['clock'] {
    return this.#inner.clock
  }

  get inTransaction(): boolean {
    return this.#inner.inTransaction
  }

  plan(key: string, statement: Parameters<Session['plan']>[1]): Plan {
    return this.#inner.plan(key, statement)
  }

  async execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    await this.#ensure()
    return this.#inner.execute(plan, parameters)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[]> {
    await this.#ensure()
    yield* this.#inner.stream(plan, parameters)
  }

  async transaction<T>(work: (session: Session) => Promise<T>, options?: RetryingTransactionOptions): Promise<T> {
    await this.#ensure()
    return this.#inner.transaction(work, options)
  }

  #ensure(): Promise<void> {
    this.#ensured ??= this.#ensureAll()
    return this.#ensured
  }

  async #ensureAll(): Promise<void> {
    for (const model of this.#models) await this.#inner.ensureTable(model)
  }

  afterCommit(work: () => void): void {
    this.#inner.afterCommit(work)
  }

  onCommitted(listener: CommitListener): () => void {
    return this.#inner.onCommitted(listener)
  }

  ensureTable(model: Model): Promise<void> {
    return this.#inner.ensureTable(model)
  }

  notify(topic: string): void {
    this.#inner.notify(topic)
  }

  wake(topic: string, onWake: () => void): Promise<() => Promise<void>> {
    return this.#inner.wake(topic, onWake)
  }
}
