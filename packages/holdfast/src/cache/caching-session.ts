import { DelegatingSession, type Plan, type Result, type Session } from '../backend/index.ts'

/** Where results are kept. */
interface KeptResults {
  /** The result of a plan, as a copy: kept for up to `ttlMs`, or given by `run`. */
  read(plan: Plan, parameters: readonly unknown[], ttlMs: number, run: () => Promise<Result>): Promise<Result>
}

/** A session whose reads may be answered with what was read before. */
export class CachingSession extends DelegatingSession {
  readonly #reads: KeptResults
  readonly #ttlMs: number

  constructor(inner: Session, reads: KeptResults, ttlMs: number) {
    super(inner)
    this.#reads = reads
    this.#ttlMs = ttlMs
  }

  override execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    if (plan.statement.kind !== 'select') return this.inner.execute(plan, parameters)
    return this.#reads.read(plan, parameters, this.#ttlMs, () => this.inner.execute(plan, parameters))
  }
}
