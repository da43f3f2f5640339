import type { Connection, Plan, Result, Row, SchemaEditor, TransactionOptions } from '../../backend/index.ts'
import { ConfigurationError, type HoldfastError, SerializationError } from '../../base/errors.ts'
import type { Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import type { Commands } from './commands.ts'
import { streamCursor } from './cursor.ts'
import { isReadOnly, isStale, type Subject, translateError } from './errors.ts'
import type { Failure, Reply, Request } from './exchange.ts'
import type { Link } from './link.ts'
import type { PostgresPlan } from './plan.ts'
import { applyChanges } from './schema-editor.ts'
import { type Sending, TransactionWire } from './transaction-wire.ts'

/** What a transaction needs to know of its backend. */
export interface TransactionContext {
  readonly subject: Subject
  readonly commands: Commands
  /** What is sent after `begin` where sessions have no state of their own. */
  readonly afterBegin: readonly Request[]
}

interface Savepoint {
  /** Set with the first statement inside. */
  opened: Promise<Reply> | undefined
}

/** An index of a large table takes its time. */
export const SCHEMA_DEADLINE_MS: number = 24 * 60 * 60 * 1000

/**
 * What `work` is given: one transaction on one session.
 *
 * ```
 *   running ──commit, rollback──▶ ended: refuses everything; the session is somebody else's
 *      └──stop (its timeout)────▶ stopped: refuses everything but the rollback
 * ```
 */
export class PostgresTransaction implements Connection {
  readonly schema: Pick<SchemaEditor, 'apply'>
  readonly #link: Link
  readonly #context: TransactionContext
  readonly #wire: TransactionWire
  readonly #readOnly: boolean
  /** Whether nothing more may be asked of it. */
  #ended = false
  /** Why it was ended before its time. */
  #stopped: HoldfastError | undefined
  /** Whether the session is no longer its own. */
  #finished = false
  #cursors = 0
  /** Those that are open, the outermost first. */
  readonly #savepoints: Savepoint[] = []

  constructor(link: Link, context: TransactionContext, options: TransactionOptions) {
    const { commands, subject, afterBegin } = context
    this.#link = link
    this.#context = context
    this.#readOnly = options.readOnly === true
    this.#wire = new TransactionWire(link, commands, [commands.begin(options), ...afterBegin], this.#readOnly)
    this.schema = {
      apply: (changes, models = subject.models) =>
        applyChanges(
          {
            ask: (text, values) => this.#ask(text, values, models),
            run: (text) => this.#raw(text, [], SCHEMA_DEADLINE_MS),
          },
          models,
          changes,
        ),
    }
  }

  /** Its id, once it has written; by this the server knows what became of it. */
  get id(): string | null {
    return this.#wire.id
  }

  /** The run of the server in which it began, at the latest. */
  get serverRun(): string {
    return this.#link.serverRun
  }

  async execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    this.#assertRunning()
    const own = plan as PostgresPlan
    const { writes, statement } = own
    const identified = (): Request | undefined => own.identified(parameters)
    const requests = own.requests(parameters)
    const replies = await Promise.all(requests.map((request) => this.#send({ request, writes, identified }, statement)))
    return own.result(replies)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    this.#assertRunning()
    const name = `holdfast_${++this.#cursors}`
    yield* streamCursor(name, plan as PostgresPlan, parameters, (request) => this.#send({ request, writes: false }))
  }

  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#raw(text, parameters)
  }

  async #raw(text: string, parameters: readonly unknown[], deadlineMs?: number): Promise<Result> {
    this.#assertRunning()
    this.#openSavepoints()
    const { result, failure } = await this.#wire.raw(text, parameters, deadlineMs)
    if (failure !== undefined) throw this.#errorOf(failure)
    return result
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    const savepoint: Savepoint = { opened: undefined }
    this.#savepoints.push(savepoint)
    try {
      const value = await work()
      this.#savepoints.pop()
      // Sent with what follows; should it fail, so does that.
      if (savepoint.opened !== undefined) this.#command('release savepoint holdfast').catch(() => undefined)
      return value
    } catch (error) {
      this.#savepoints.pop()
      const isOpen = await savepoint.opened?.then(
        () => !this.#ended,
        () => false,
      )
      if (isOpen === true) await this.#undoSavepoint()
      throw error
    }
  }

  /** Refuses everything from now on, and gives up what the server is doing for it. */
  stop(reason: HoldfastError): void {
    this.#ended = true
    this.#stopped = reason
    if (this.#wire.waiting) this.#link.abandon()
  }

  /**
   * Commits.
   *
   * @returns what the server did, or why it did not say.
   */
  async commit(): Promise<'committed' | 'rolled back' | Failure> {
    this.#ended = true
    if (!this.#wire.used) return 'committed'
    await this.#wire.identified()
    this.#finished = true
    return new Promise((resolve) => {
      const sending = { request: this.#context.commands.request('commit'), writes: false }
      this.#wire.send(sending, ({ tag }) => resolve(tag === 'COMMIT' ? 'committed' : 'rolled back'), resolve)
    })
  }

  /** Undoes everything. Where the server does not confirm it the session ends, which undoes it too. */
  async rollback(): Promise<void> {
    this.#ended = true
    const undone = this.#wire.used && !this.#link.broken ? this.#command('rollback') : undefined
    this.#finished = true
    await undone?.catch(() => this.#link.abandon())
  }

  /** Sets the savepoints that nothing was done in so far; one that nothing is ever done in costs nothing. */
  #openSavepoints(): void {
    for (const savepoint of this.#savepoints) {
      if (savepoint.opened !== undefined) continue
      savepoint.opened = this.#command('savepoint holdfast')
      // Should it fail, so does the statement it is sent with.
      savepoint.opened.catch(() => undefined)
    }
  }

  /** Where the server does not confirm it, nothing of the transaction may be committed. */
  async #undoSavepoint(): Promise<void> {
    const commands = [this.#command('rollback to savepoint holdfast'), this.#command('release savepoint holdfast')]
    await Promise.all(commands).catch(() => this.#link.abandon())
  }

  #command(text: string): Promise<Reply> {
    return this.#transmit({ request: this.#context.commands.request(text), writes: false })
  }

  /** @param models those that the statement is about, for what it fails with. */
  async #ask(text: string, values: readonly string[], models: Models): Promise<Reply> {
    this.#assertRunning()
    const request = { name: '', text, values }
    return this.#send({ request, writes: true, deadlineMs: SCHEMA_DEADLINE_MS }, undefined, models)
  }

  #send(sending: Sending, statement?: Statement, models?: Models): Promise<Reply> {
    this.#openSavepoints()
    return this.#transmit(sending, statement, models)
  }

  #transmit(sending: Sending, statement?: Statement, models?: Models): Promise<Reply> {
    if (this.#finished) return Promise.reject(hasEnded())
    return new Promise((done, reject) => {
      this.#wire.send(sending, done, (failure) => reject(this.#errorOf(failure, statement, models)))
    })
  }

  /** The error for what a statement of this transaction failed with. */
  #errorOf(failure: Failure, statement?: Statement, models?: Models): HoldfastError {
    const { subject } = this.#context
    if (this.#stopped !== undefined) return this.#stopped
    if (isReadOnly(failure) && !this.#readOnly) this.#link.retire()
    if (!isStale(failure))
      return translateError(failure.error, models === undefined ? subject : { ...subject, models }, statement)
    this.#link.forgetPrepared()
    return new SerializationError(
      'A statement must be prepared anew, which a transaction cannot do once it has begun.',
      failure.error,
    )
  }

  #assertRunning(): void {
    if (this.#ended) throw this.#stopped ?? hasEnded()
  }
}

function hasEnded(): ConfigurationError {
  return new ConfigurationError('The transaction has ended; nothing can be done in it any more.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Await every call inside the transaction.',
  })
}
