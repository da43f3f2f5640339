import { DelegatingSession, type Result, type RetryingTransactionOptions, type Session } from '../backend/index.ts'
import type { RootSession } from './root-session.ts'
import type { SqlRunner } from './sql.ts'
import { NO_OPTIONS } from './transaction-options.ts'

/** The storage's session, on behalf of somebody. */
export class ActingSession extends DelegatingSession<RootSession> implements SqlRunner {
  readonly #actor: string

  constructor(inner: RootSession, actor: string) {
    super(inner)
    this.#actor = actor
  }

  override get actor(): string {
    return this.#actor
  }

  override transaction<T>(
    work: (session: Session) => Promise<T>,
    options: RetryingTransactionOptions = NO_OPTIONS,
  ): Promise<T> {
    return this.inner.runTransaction(work, options, this.#actor)
  }

  sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.inner.sql(text, parameters)
  }
}
