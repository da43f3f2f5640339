import type { Model } from '../schema/index.ts'
import type { Plan, Result, Row } from './port.ts'
import type { CommitListener, GatheredWriter, RetryingTransactionOptions, Session } from './session.ts'

/** A session that does what another one does; what differs is for those who extend it. */
export class DelegatingSession<Inner extends Session = Session> implements Session {
  protected readonly inner: Inner

  constructor(inner: Inner) {
    this.inner = inner
  }

  get models(): Session['models'] {
    return this.inner.models
  }

  get traits(): Session['traits'] {
    return this.inner.traits
  }

  get clock(): Session['clock'] {
    return this.inner.clock
  }

  get inTransaction(): boolean {
    return this.inner.inTransaction
  }

  get isolation(): Session['isolation'] {
    return this.inner.isolation
  }

  get actor(): string | null {
    return this.inner.actor
  }

  assertUsable(): void {
    this.inner.assertUsable()
  }

  plan(key: string, statement: Parameters<Session['plan']>[1]): Plan {
    return this.inner.plan(key, statement)
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    return this.inner.execute(plan, parameters)
  }

  stream(plan: Plan, parameters: readonly unknown[]): AsyncIterable<readonly Row[]> {
    return this.inner.stream(plan, parameters)
  }

  transaction<T>(work: (session: Session) => Promise<T>, options?: RetryingTransactionOptions): Promise<T> {
    return this.inner.transaction(work, options)
  }

  beforeCommit<Item>(writer: GatheredWriter<Item>, items: Promise<readonly Item[]>): void {
    this.inner.beforeCommit(writer, items)
  }

  fail(error: unknown): void {
    this.inner.fail(error)
  }

  afterCommit(work: () => void): void {
    this.inner.afterCommit(work)
  }

  onCommitted(listener: CommitListener): () => void {
    return this.inner.onCommitted(listener)
  }

  ensureTable(model: Model): Promise<void> {
    return this.inner.ensureTable(model)
  }

  notify(topic: string): void {
    this.inner.notify(topic)
  }

  wake(topic: string, onWake: () => void): Promise<() => Promise<void>> {
    return this.inner.wake(topic, onWake)
  }
}
