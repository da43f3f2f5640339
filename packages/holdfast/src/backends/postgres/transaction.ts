import type { Connection, Plan, Result, Row, SchemaEditor, TransactionOptions } from '../../backend/index.ts'
import { ConfigurationError, type HoldfastError, SerializationError } from '../../base/errors.ts'
import type { Statement } from '../../statement/index.ts'
import type { Commands } from './commands.ts'
import { streamCursor } from './cursor.ts'
import { failedTransaction, isReadOnly, isStale, type Subject, translateError } from './errors.ts'
import type { Answer, Failure, Reply, Request } from './exchange.ts'
import type { Link } from './link.ts'
import type { PostgresPlan } from './plan.ts'
import { applyChanges } from './schema-editor.ts'

/** What a transaction needs to know of its backend. */
export interface TransactionContext {
  readonly subject: Subject
  readonly commands: Commands
  /** What is sent after `begin` where sessions have no state of their own. */
  readonly afterBegin: readonly Request[]
}

/** A request on its way to the server. */
interface Queued {
  readonly request: Request
  readonly writes: boolean
  /** How long the server may take; as long as usual unless given. */
  readonly deadlineMs?: number
  readonly done: (reply: Reply) => void
  readonly failed: (failure: Failure) => void
}

/** Asks for the id of the transaction; null until it has written. */
const ID = 'select pg_current_xact_id_if_assigned()::text'
/** How many statements are sent together at most. */
const MAX_TOGETHER = 256
/** An index of a large table takes its time. */
const SCHEMA_DEADLINE_MS = 24 * 60 * 60 * 1000

/**
 * What `work` is given: one transaction on one session.
 *
 * Statements that are executed in one tick are sent together, `begin` together with the first, so that neither costs a round trip. The
 * first that writes also brings the transaction's id back, by which the outcome can be asked for should the answer to the commit
 * be lost.
 */
export class PostgresTransaction implements Connection {
  readonly schema: Pick<SchemaEditor, 'apply'>
  readonly #link: Link
  readonly #context: TransactionContext
  readonly #readOnly: boolean
  readonly #beginning: readonly Request[]
  #queue: Queued[] = []
  /** Settles when everything that was sent has been answered. */
  #tail: Promise<void> = Promise.resolve()
  #scheduled = false
  /** Whether anything was sent or will be. */
  #touched = false
  #begun = false
  #waits = false
  #id: string | null = null
  /** Whether nothing more may be asked of it. */
  #ended = false
  /** Why it was ended before its time. */
  #stopped: HoldfastError | undefined
  /** Whether the session is no longer its own. */
  #finished = false
  #cursors = 0

  constructor(link: Link, context: TransactionContext, options: TransactionOptions) {
    this.#link = link
    this.#context = context
    this.#readOnly = options.readOnly === true
    this.#beginning = [context.commands.begin(options), ...context.afterBegin]
    const { models } = context.subject
    this.schema = { apply: (changes) => applyChanges((text, values) => this.#ask(text, values), models, changes) }
  }

  /** Its id, once it has written; by this the server knows what became of it. */
  get id(): string | null {
    return this.#id
  }

  async execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    this.#assertRunning()
    const own = plan as PostgresPlan
    const requests = own.requests(parameters)
    const replies = await Promise.all(requests.map((request) => this.#send(request, own.writes, own.statement)))
    return own.result(replies)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    this.#assertRunning()
    const name = `holdfast_${++this.#cursors}`
    yield* streamCursor(name, plan as PostgresPlan, parameters, (request) => this.#send(request, false))
  }

  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    this.#assertRunning()
    this.#touched = true
    return this.#inOrder(async () => {
      if (!this.#begun) await this.#begin()
      const { result, failure } = await this.#link.raw(text, parameters)
      if (failure !== undefined) throw this.#errorOf(failure)
      if (this.#asksForId) this.#note(await this.#link.run([this.#context.commands.request(ID)]), 0)
      return result
    })
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    // Sent with the first statement inside; should it fail, so does that statement.
    const opened = this.#command('savepoint holdfast')
    opened.catch(() => undefined)
    try {
      const value = await work()
      await opened
      await this.#command('release savepoint holdfast')
      return value
    } catch (error) {
      const isOpen = await opened.then(
        () => !this.#ended,
        () => false,
      )
      if (isOpen) await this.#undoSavepoint()
      throw error
    }
  }

  /** Where the server does not confirm it, nothing of the transaction may be committed. */
  async #undoSavepoint(): Promise<void> {
    const commands = [this.#command('rollback to savepoint holdfast'), this.#command('release savepoint holdfast')]
    await Promise.all(commands).catch(() => this.#link.abandon())
  }

  /** Refuses everything from now on, and gives up what the server is doing for it. */
  stop(reason: HoldfastError): void {
    this.#ended = true
    this.#stopped = reason
    if (this.#waits) this.#link.abandon()
  }

  /**
   * Commits.
   *
   * @returns what the server did, or why it did not say.
   */
  async commit(): Promise<'committed' | 'rolled back' | Failure> {
    this.#ended = true
    if (!this.#touched) return 'committed'
    const outcome = new Promise<'committed' | 'rolled back' | Failure>((resolve) => {
      this.#enqueue({
        request: this.#context.commands.request('commit'),
        writes: false,
        done: ({ tag }) => resolve(tag === 'COMMIT' ? 'committed' : 'rolled back'),
        failed: resolve,
      })
    })
    this.#finished = true
    return outcome
  }

  /** Undoes everything. Where the server does not confirm it the session ends, which undoes it too. */
  async rollback(): Promise<void> {
    this.#ended = true
    const undone = this.#touched && !this.#link.broken ? this.#command('rollback') : undefined
    this.#finished = true
    await undone?.catch(() => this.#link.abandon())
  }

  /** The error for what a statement of this transaction failed with. */
  #errorOf(failure: Failure, statement?: Statement): HoldfastError {
    if (this.#stopped !== undefined) return this.#stopped
    if (isReadOnly(failure) && !this.#readOnly) this.#link.retire()
    if (!isStale(failure)) return translateError(failure.error, this.#context.subject, statement)
    this.#link.forgetPrepared()
    return new SerializationError('The tables were changed while the transaction ran.', failure.error)
  }

  #command(text: string): Promise<Reply> {
    return this.#send(this.#context.commands.request(text), false)
  }

  #ask(text: string, values: readonly string[]): Promise<Reply> {
    this.#assertRunning()
    return this.#send({ name: '', text, values }, true, undefined, SCHEMA_DEADLINE_MS)
  }

  #send(request: Request, writes: boolean, statement?: Statement, deadlineMs?: number): Promise<Reply> {
    return new Promise((done, reject) => {
      const failed = (failure: Failure): void => reject(this.#errorOf(failure, statement))
      this.#enqueue({ request, writes, done, failed, ...(deadlineMs !== undefined && { deadlineMs }) })
    })
  }

  #enqueue(queued: Queued): void {
    if (this.#finished) {
      queued.failed({ error: hasEnded(), fate: 'unsent' })
      return
    }
    this.#touched = true
    this.#queue.push(queued)
    if (this.#scheduled) return
    this.#scheduled = true
    void this.#inOrder(() => this.#flush())
  }

  /** Runs `work` when everything before it is answered: a session does one thing at a time. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(async () => {
      this.#waits = true
      try {
        return await work()
      } finally {
        this.#waits = false
      }
    })
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, MAX_TOGETHER)
    this.#scheduled = this.#queue.length > 0
    if (this.#scheduled) void this.#inOrder(() => this.#flush())
    const before = this.#begun ? [] : this.#beginning
    const after = this.#asksForId && batch.some(({ writes }) => writes) ? [this.#context.commands.request(ID)] : []
    const deadlineMs = batch.find((queued) => queued.deadlineMs !== undefined)?.deadlineMs
    const answer = await this.#link.run([...before, ...batch.map(({ request }) => request), ...after], deadlineMs)
    this.#note(answer, before.length + batch.length)
    deliver(batch, answer, before.length)
  }

  /** Takes from an answer whether the transaction has begun, and its id where it was asked for. */
  #note({ replies, failure }: Answer, idAt: number): void {
    if (failure?.fate !== 'unsent') this.#begun = true
    this.#id ??= replies[idAt]?.rows[0]?.[0] ?? null
  }

  get #asksForId(): boolean {
    return this.#id === null && !this.#readOnly
  }

  async #begin(): Promise<void> {
    const answer = await this.#link.run(this.#beginning)
    this.#note(answer, 0)
    if (answer.failure !== undefined) throw this.#errorOf(answer.failure)
  }

  #assertRunning(): void {
    if (this.#ended) throw this.#stopped ?? hasEnded()
  }
}

/** Tells those who wait for a batch what came of it; `before` requests of the answer are not theirs. */
function deliver(batch: readonly Queued[], { replies, failure }: Answer, before: number): void {
  const succeeded = replies.length - before
  const skipped = (): Failure =>
    failure?.fate === 'refused' && succeeded >= 0
      ? { error: failedTransaction(failure.error), fate: 'refused' }
      : (failure as Failure)
  for (const [index, queued] of batch.entries()) {
    const reply = replies[before + index]
    if (reply !== undefined) queued.done(reply)
    else queued.failed(index === succeeded ? (failure as Failure) : skipped())
  }
}

function hasEnded(): ConfigurationError {
  return new ConfigurationError('The transaction has ended; nothing can be done in it any more.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Await every call inside the transaction.',
  })
}
