import {
  DelegatingSession,
  type Plan,
  type Result,
  type RetryingTransactionOptions,
  type Row,
  type Session,
} from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import { type GraphModels, graphModels } from '../graph/index.ts'
import { describe, documents, type Model, resolveModel, type Schema } from '../schema/index.ts'

/** What a storage knows when it is asked for a name that it does not know. */
interface Known {
  readonly schema: Schema
  /** Every model; what is made is added. */
  readonly models: Map<string, Model>
  readonly autoCreate: boolean
}

/**
 * The model of a name that the schema does not declare: a documents collection, made at its first use.
 *
 * @throws ConfigurationError where collections are not made by themselves, or the name cannot be one.
 */
export function undeclaredModel(name: string, { schema, models, autoCreate }: Known): Model {
  if (typeof name !== 'string') {
    throw new ConfigurationError(`A collection is named by text, got ${describe(name)}.`, { hint: 'Give its name.' })
  }
  if (!autoCreate) {
    const declared = [...schema.models.keys()].join(', ') || 'none'
    throw new ConfigurationError(
      `The schema declares no table or documents called ${describe(name)}; it has ${declared}.`,
      { hint: 'Declare it in the schema, or open the storage with autoCreate: true.' },
    )
  }
  const model: Model = { ...resolveModel(name, documents()), undeclared: true }
  addModel(model, `The collection ${JSON.stringify(name)}`, models)
  return model
}

/**
 * The models of a graph that the schema does not declare; its tables are made at its first use.
 *
 * @throws ConfigurationError where they are not made by themselves, or the name cannot be one.
 */
export function undeclaredGraph(
  name: string,
  { graphs, models, autoCreate }: Known & { readonly graphs: Map<string, GraphModels> },
): GraphModels {
  if (typeof name !== 'string' || name === '') {
    throw new ConfigurationError(`A graph is named by text, got ${describe(name)}.`, { hint: 'Give its name.' })
  }
  if (!autoCreate) {
    throw new ConfigurationError(`The schema declares no graph called ${describe(name)}.`, {
      hint: 'Declare it in the schema, or open the storage with autoCreate: true.',
    })
  }
  const made = graphModels(name)
  for (const model of [made.nodes, made.edges]) addModel(model, `The graph ${JSON.stringify(name)}`, models)
  graphs.set(name, made)
  return made
}

function addModel(model: Model, what: string, models: Map<string, Model>): void {
  const other = [...models.values()].find(({ table }) => table.toLowerCase() === model.table.toLowerCase())
  if (other !== undefined) {
    throw new ConfigurationError(`${what} would have the table of ${other.name}.`, {
      hint: `Use ${JSON.stringify(other.name)}, or choose another name.`,
    })
  }
  models.set(model.name, model)
}

/** A session that makes sure that the tables of some models exist before the first call. */
export class EnsuringSession extends DelegatingSession {
  readonly #models: readonly Model[]
  #ensured: Promise<void> | undefined

  constructor(inner: Session, models: readonly Model[]) {
    super(inner)
    this.#models = models
  }

  override async execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    await this.#ensure()
    return this.inner.execute(plan, parameters)
  }

  override async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[]> {
    await this.#ensure()
    yield* this.inner.stream(plan, parameters)
  }

  override async transaction<T>(
    work: (session: Session) => Promise<T>,
    options?: RetryingTransactionOptions,
  ): Promise<T> {
    await this.#ensure()
    return this.inner.transaction(work, options)
  }

  #ensure(): Promise<void> {
    this.#ensured ??= this.#ensureAll().catch((error: unknown) => {
      // The next call tries again: a worker keeps its session for life.
      this.#ensured = undefined
      throw error
    })
    return this.#ensured
  }

  async #ensureAll(): Promise<void> {
    for (const model of this.#models) await this.inner.ensureTable(model)
  }
}
