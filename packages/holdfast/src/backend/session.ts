import type { Clock } from '../base/clock.ts'
import type { Model, Models } from '../schema/index.ts'
import type { Statement } from '../statement/index.ts'
import type { Isolation, Plan, Result, Row, Traits, TransactionOptions } from './port.ts'

/**
 * Where calls run: the storage itself, each call on its own, or one transaction. Everything above the port (repositories,
 * queues, …) is written against this, and so works the same inside a transaction and outside.
 */
export interface Session {
  readonly models: Models
  readonly traits: Traits
  readonly clock: Clock
  /** Whether this is a transaction. */
  readonly inTransaction: boolean
  /** How calls made here are kept apart from those of others; `read committed` outside a transaction. */
  readonly isolation: Isolation
  /** On whose behalf: as `storage.as(actor)` was told; null where nobody was named. */
  readonly actor: string | null

  /** @throws ConnectionError once the storage is closed; ConfigurationError for the storage itself inside a transaction of it. */
  assertUsable(): void

  /** The plan for a shape; `statement` is only called when it is new. */
  plan(key: string, statement: () => Statement): Plan
  /** Executes a plan. Outside a transaction it is committed when this resolves. */
  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result>
  /** Reads in batches with constant memory. */
  stream(plan: Plan, parameters: readonly unknown[]): AsyncIterable<readonly Row[]>

  /** One transaction, retried on conflict; inside a transaction, a savepoint of it. */
  transaction<T>(work: (session: Session) => Promise<T>, options?: RetryingTransactionOptions): Promise<T>
  /**
   * Gathers what a transaction will write in the end: `writer` is given all the items of the transaction, once, right before it commits;
   * none of a savepoint that was undone. Inside a transaction only.
   *
   * @param items called for at once, so that they are waited for even when nobody waits for what they are about.
   */
  beforeCommit<Item>(writer: GatheredWriter<Item>, items: Promise<readonly Item[]>): void
  /** Fails the transaction, as a statement of it that fails does: it can only roll back. Inside a transaction only. */
  fail(error: unknown): void
  /** Runs `work` once the data is committed: now, outside a transaction; never, when it rolls back. */
  afterCommit(work: () => void): void
  /**
   * Calls back after every commit that wrote, and before the promise of who wrote resolves, with the names of the models written:
   * those whose rows went along, followed a changed key or were set to null by a foreign key too. A transaction tells once. SQL as it
   * stands counts as having written every model, unless it is plainly a select. Also after a commit whose outcome nobody knows.
   *
   * @returns the function that ends it.
   */
  onCommitted(listener: CommitListener): () => void

  /** Makes sure that the table of a model that no schema declares exists. */
  ensureTable(model: Model): Promise<void>
  /** Tells this and other processes that something happened on a topic; a hint. Call it after the commit. */
  notify(topic: string): void
  /** Calls back after a `notify` of the topic; a hint. */
  wake(topic: string, onWake: () => void): Promise<() => Promise<void>>
}

/** Writes what a transaction has gathered. */
export interface GatheredWriter<Item> {
  write(session: Session, items: readonly Item[]): Promise<void>
}

/** Is told the names of the models that a commit of this process wrote. */
export type CommitListener = (models: ReadonlySet<string>) => void

/** How a transaction runs and is repeated. */
export interface RetryingTransactionOptions extends TransactionOptions {
  /** How often it is tried again after a conflict, with growing, jittered pauses; 10 unless given. */
  readonly retries?: number
}
