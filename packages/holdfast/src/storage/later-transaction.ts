import type { CommitListener, GatheredWriter, Isolation, Plan, Result, Row, Session } from '../backend/index.ts'
import type { LaterOptions, LaterTransaction } from '../queue/index.ts'
import type { Model } from '../schema/index.ts'
import { type AmbientScope, runInScope } from './ambient.ts'
import type { RootSession } from './root-session.ts'
import type { SqlRunner } from './sql.ts'
import { type TransactionSession, transactionEnded } from './transaction-session.ts'

/**
 * The session of a transaction that begins with the first call made in it, so that a job that writes nothing costs no transaction.
 * It is not tried again after a conflict: the work was not given to it as a function; the job is tried again instead.
 */
export class LaterSession implements Session, SqlRunner {
  readonly inTransaction = true
  readonly isolation: Isolation
  readonly actor: string | null
  readonly #root: RootSession
  readonly #scope: AmbientScope
  readonly #outer: LaterSession | undefined
  #opened: Promise<TransactionSession> | undefined
  #transaction: TransactionSession | undefined
  /** Settles with the transaction. */
  #outcome: Promise<void> | undefined
  /** Ends its work: most jobs write nothing, so it is made when it is needed. */
  #end: PromiseWithResolvers<void> | undefined
  #ended = false

  /**
   * @param scope what the work runs in.
   * @param within the session of a transaction that it is a part of: then it is a savepoint.
   */
  constructor(root: RootSession, actor: string | null, scope: AmbientScope, { isolation, within }: LaterOptions) {
    this.#root = root
    this.actor = actor
    this.#scope = scope
    this.#outer = within as LaterSession | undefined
    this.isolation = this.#outer?.isolation ?? isolation ?? 'serializable'
  }

  get models(): Session['models'] {
    return this.#root.models
  }

  get traits(): Session['traits'] {
    return this.#root.traits
  }

  get clock(): Session['clock'] {
    return this.#root.clock
  }

  /** Its transaction tells when it can no longer be used. */
  assertUsable(): void {}

  plan(key: string, statement: Parameters<Session['plan']>[1]): Plan {
    return this.#root.plan(key, statement)
  }

  async execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    return (await this.open()).execute(plan, parameters)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[]> {
    yield* (await this.open()).stream(plan, parameters)
  }

  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return (await this.open()).sql(text, parameters)
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return (await this.open()).runNested(work)
  }

  /** Like `transaction`, giving `work` all that a transaction's session can do. */
  async runNested<T>(work: (session: TransactionSession) => Promise<T>): Promise<T> {
    return (await this.open()).runNested(work)
  }

  beforeCommit<Item>(writer: GatheredWriter<Item>, items: Promise<readonly Item[]>): void {
    // That the transaction cannot be opened is told by the statement that the items are about.
    void this.open().then(
      (session) => session.beforeCommit(writer, items),
      () => undefined,
    )
  }

  /** One that has not begun has done nothing by halves. */
  fail(error: unknown): void {
    this.#transaction?.fail(error)
  }

  /** Runs `work` after the commit, which also completes the job: a handler that does nothing else with the transaction begins it, too. */
  afterCommit(work: () => unknown): void {
    void this.open().then(
      (session) => session.afterCommit(work),
      // That it cannot begin is told by the commit, which the attempt fails with.
      () => undefined,
    )
  }

  onCommitted(listener: CommitListener): () => void {
    return this.#root.onCommitted(listener)
  }

  async ensureTable(model: Model): Promise<void> {
    return (await this.open()).ensureTable(model)
  }

  notify(topic: string): void {
    this.afterCommit(() => this.#root.notify(topic))
  }

  wake(topic: string, onWake: () => void): Promise<() => Promise<void>> {
    return this.#root.wake(topic, onWake)
  }

  /** What its work runs in, and that of its parts, which run one after the other. */
  get scope(): AmbientScope {
    return this.#scope
  }

  /** Whether it has begun. */
  get used(): boolean {
    return this.#opened !== undefined
  }

  /** Whether more can be done in it. */
  get active(): boolean {
    return !this.#ended
  }

  /** Whether it began and a statement failed in it, so that it can only be undone. */
  get broken(): boolean {
    return this.#transaction?.failure !== undefined
  }

  /** The transaction, begun if it is not yet. */
  open(): Promise<TransactionSession> {
    if (this.#opened !== undefined) return this.#opened
    // Nobody would end it.
    if (this.#ended) return Promise.reject(transactionEnded())
    const opened = Promise.withResolvers<TransactionSession>()
    const end = Promise.withResolvers<void>()
    // A transaction that could not begin does not wait for it, and then nobody does.
    end.promise.catch(() => undefined)
    this.#opened = opened.promise
    this.#end = end
    this.#outcome = this.#begin((session) => {
      this.#transaction = session
      this.#scope.transaction = session
      opened.resolve(session)
      return end.promise
    })
    this.#outcome.catch(opened.reject)
    return opened.promise
  }

  #begin(work: (session: TransactionSession) => Promise<void>): Promise<void> {
    if (this.#outer !== undefined) return this.#outer.runNested(work)
    return this.#root.runTransaction(work, { retries: 0, isolation: this.isolation }, this.actor)
  }

  /** Nothing can begin it any more. */
  end(): void {
    this.#ended = true
  }

  /** Runs `last` in the transaction, which was used, and commits. */
  async commit(last: (session: Session) => Promise<void>): Promise<void> {
    await last(await this.open())
    this.#end?.resolve()
    await this.#outcome
    this.#leave()
  }

  /** Undoes what was done in it. */
  async rollback(): Promise<void> {
    this.#end?.reject(new Error('rolled back'))
    // What else the transaction failed with was thrown where it was used.
    await this.#outcome?.catch(() => undefined)
    this.#leave()
  }

  /** From now on what goes on runs in the transaction that this was a part of. */
  #leave(): void {
    if (this.#outer !== undefined) this.#scope.transaction = this.#outer.#transaction
  }
}

/** A transaction for a handler, seen through the ways to the data that `transactionOf` makes when they are first asked for. */
export function openLater<Tx>(
  root: RootSession,
  actor: string | null,
  transactionOf: (session: LaterSession) => Tx,
  options: LaterOptions = {},
): LaterTransaction<Tx> {
  return new HandlerTransaction(root, actor, transactionOf, options)
}

/** Most handlers never use it: until then it holds nothing but what it takes to make it. */
class HandlerTransaction<Tx> implements LaterTransaction<Tx> {
  readonly #root: RootSession
  readonly #actor: string | null
  readonly #transactionOf: (session: LaterSession) => Tx
  readonly #options: LaterOptions
  readonly #scope: AmbientScope
  #session: LaterSession | undefined
  #tx: Tx | undefined
  #ended = false

  constructor(
    root: RootSession,
    actor: string | null,
    transactionOf: (session: LaterSession) => Tx,
    options: LaterOptions,
  ) {
    this.#root = root
    this.#actor = actor
    this.#transactionOf = transactionOf
    this.#options = options
    this.#scope = (options.within as LaterSession | undefined)?.scope ?? { transaction: undefined }
  }

  get tx(): Tx {
    this.#tx ??= this.#transactionOf(this.session)
    return this.#tx
  }

  get session(): LaterSession {
    if (this.#session === undefined) {
      this.#session = new LaterSession(this.#root, this.#actor, this.#scope, this.#options)
      if (this.#ended) this.#session.end()
    }
    return this.#session
  }

  get used(): boolean {
    return this.#session?.used === true
  }

  get broken(): boolean {
    return this.#session?.broken === true
  }

  run<T>(work: () => T): T {
    // A part runs where the whole does.
    return this.#options.within !== undefined ? work() : runInScope(this.#scope, work)
  }

  end(): boolean {
    this.#ended = true
    this.#session?.end()
    return this.used
  }

  commit(last: (session: Session) => Promise<void>): Promise<void> {
    return this.session.commit(last)
  }

  async rollback(): Promise<void> {
    if (this.end()) await this.session.rollback()
  }
}
