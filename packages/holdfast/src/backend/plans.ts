import type { Statement } from '../statement/index.ts'
import type { Backend, Plan } from './port.ts'

/** How many shapes are kept; an application has a few hundred, only generated queries reach this. */
const MAX_PLANS = 4_000

/** The plans of one backend, by the key of their statement's shape: each is prepared once and used for any values. */
export class Plans {
  readonly #backend: Pick<Backend, 'prepare'>
  readonly #plans = new Map<string, Plan>()

  constructor(backend: Pick<Backend, 'prepare'>) {
    this.#backend = backend
  }

  /** The plan of this shape, made from `statement()` when it is first asked for. */
  get(key: string, statement: () => Statement): Plan {
    return this.#plans.get(key) ?? this.#prepare(key, statement())
  }

  #prepare(key: string, statement: Statement): Plan {
    if (this.#plans.size >= MAX_PLANS) this.#dropOldest()
    const plan = this.#backend.prepare(statement)
    this.#plans.set(key, plan)
    return plan
  }

  #dropOldest(): void {
    const [oldest] = this.#plans.keys()
    if (oldest !== undefined) this.#plans.delete(oldest)
  }
}
