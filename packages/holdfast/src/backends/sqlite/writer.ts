import { setImmediate as nextTurn } from 'node:timers/promises'
import { Deadline } from '../../backend/deadline.ts'
import type { AlteringOptions, Call, Connection, Result, SchemaChange, Settled } from '../../backend/index.ts'
import { Semaphore } from '../../backend/semaphore.ts'
import type { Models } from '../../schema/index.ts'
import { untilFree } from './busy.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import { runInGroup, settleEach } from './group.ts'
import type { WritePlan } from './prepare.ts'
import { SqliteTransaction, type TransactionContext } from './transaction.ts'
import { runAlone } from './unit.ts'

/** How many writes share a commit: a few milliseconds of work, after which the event loop takes its turn. */
const MOST_IN_GROUP = 1_000

/** What a writer works with. */
export interface WriterContext {
  readonly connection: SqliteConnection
  readonly failures: Failures
  readonly busyTimeoutMs: number
  /** Makes the schema's statements and runs them. */
  readonly applyChanges: (connection: SqliteConnection, changes: readonly SchemaChange[], models?: Models) => void
}

/**
 * The one connection that writes, and the queue in front of it: SQLite lets one writer in at a time, and who must wait should
 * wait here, where waiting blocks nobody, rather than in SQLite.
 */
export class Writer {
  readonly #context: WriterContext
  readonly #lock = new Semaphore(1)
  readonly #begin: () => void
  readonly #commit: () => void
  /** What transactions are given. */
  readonly #writing: TransactionContext
  readonly #reading: TransactionContext

  constructor(context: WriterContext) {
    const { connection, failures, applyChanges } = context
    this.#context = context
    this.#begin = () => connection.begin()
    this.#commit = () => connection.commit()
    this.#writing = {
      connection,
      failures,
      readOnly: false,
      applyChanges: (changes, models) => applyChanges(connection, changes, models),
    }
    this.#reading = { ...this.#writing, readOnly: true }
  }

  /** Executes a write, which is committed when this resolves; at once where nobody else writes. */
  execute(plan: WritePlan, parameters: readonly unknown[]): Promise<Result> {
    if (!this.#lock.tryAcquire()) return this.#lock.acquire().then(() => this.#executeAndRelease(plan, parameters))
    let result: Result
    try {
      result = runAlone(plan, this.#context.connection, parameters)
    } catch (error) {
      if (this.#context.failures.isBusy(error)) return this.#executeAndRelease(plan, parameters)
      const failure = this.#translate(error, plan, parameters)
      this.#lock.release()
      return Promise.reject(failure)
    }
    this.#lock.release()
    return Promise.resolve(result)
  }

  /** Executes independent writes in one transaction, so that they share one commit; very many in several, one after the other. */
  async executeTogether(calls: readonly Call[]): Promise<Settled[]> {
    const outcomes = await this.#executeGroup(calls.slice(0, MOST_IN_GROUP))
    for (let at = MOST_IN_GROUP; at < calls.length; at += MOST_IN_GROUP) {
      await nextTurn()
      for (const outcome of await this.#executeGroup(calls.slice(at, at + MOST_IN_GROUP))) outcomes.push(outcome)
    }
    return outcomes
  }

  async #executeGroup(calls: readonly Call[]): Promise<Settled[]> {
    const { connection, failures } = this.#context
    if (!this.#lock.tryAcquire()) await this.#lock.acquire()
    try {
      const begun = this.#now(() => connection.begin())
      if (begun !== undefined) await begun
      const outcomes = runInGroup(calls, connection, failures)
      if (outcomes.length < calls.length)
        return await settleEach(calls, (call) => this.#executeAlone(call.plan as WritePlan, call.parameters))
      return await this.#commitGroup(outcomes)
    } catch (error) {
      connection.rollback()
      const failure = failures.translate(error)
      return calls.map(() => ({ error: failure }))
    } finally {
      this.#lock.release()
    }
  }

  /** Nothing counts as done before the commit has come back. */
  async #commitGroup(outcomes: Settled[]): Promise<Settled[]> {
    const { connection, failures } = this.#context
    try {
      await this.#untilFree(() => connection.commit())
      return outcomes
    } catch (error) {
      connection.rollback()
      const failure = failures.translate(error)
      return outcomes.map((outcome) => (outcome.result === undefined ? outcome : { error: failure }))
    }
  }

  /** Runs a transaction, which has the lock from its start to its end. */
  transaction<T>(
    { readOnly = false, timeoutMs, altersTables = false }: AlteringOptions,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    if (timeoutMs === undefined) return this.#transaction(readOnly, altersTables, undefined, work)
    const deadline = new Deadline(timeoutMs)
    const done = this.#transaction(readOnly, altersTables, deadline.signal, work)
    return done.finally(() => deadline[Symbol.dispose]())
  }

  async #transaction<T>(
    readOnly: boolean,
    altersTables: boolean,
    signal: AbortSignal | undefined,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const { connection } = this.#context
    // Where nothing has to be waited for, nothing is: each `await` costs a turn of the promise queue.
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(signal)
    try {
      if (altersTables) connection.guardReferences(false)
      const begun = this.#now(this.#begin, signal)
      if (begun !== undefined) await begun
      const value = await new SqliteTransaction(readOnly ? this.#reading : this.#writing).run(work, signal)
      if (altersTables) connection.assertReferences()
      const committed = this.#now(this.#commit)
      if (committed !== undefined) await committed
      return value
    } catch (error) {
      connection.rollback()
      throw error
    } finally {
      if (altersTables) connection.guardReferences(true)
      this.#lock.release()
    }
  }

  /** Runs something on the connection that takes no time worth speaking of, when nobody else has it. */
  async use<T>(run: (connection: SqliteConnection) => T, signal?: AbortSignal): Promise<T> {
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(signal)
    try {
      return await this.#untilFree(() => run(this.#context.connection))
    } catch (error) {
      throw this.#context.failures.translate(error)
    } finally {
      this.#lock.release()
    }
  }

  /** The same if nobody has the connection right now; otherwise nothing is done. */
  useIfFree<T>(run: (connection: SqliteConnection) => T): T | undefined {
    if (!this.#lock.tryAcquire()) return undefined
    try {
      return run(this.#context.connection)
    } finally {
      this.#lock.release()
    }
  }

  /** Lets what runs and what waits finish, and closes the connection. The lock is kept: nobody comes after. */
  async close(): Promise<void> {
    await this.#lock.acquire()
    this.#context.connection.close()
  }

  async #executeAndRelease(plan: WritePlan, parameters: readonly unknown[]): Promise<Result> {
    try {
      return await this.#executeAlone(plan, parameters)
    } finally {
      this.#lock.release()
    }
  }

  async #executeAlone(plan: WritePlan, parameters: readonly unknown[]): Promise<Result> {
    try {
      return await this.#untilFree(() => runAlone(plan, this.#context.connection, parameters))
    } catch (error) {
      throw this.#translate(error, plan, parameters)
    }
  }

  /** Does something at once; or gives a promise, where another process has the file locked. */
  #now(attempt: () => void, signal?: AbortSignal): Promise<void> | undefined {
    const { failures } = this.#context
    try {
      attempt()
      return undefined
    } catch (error) {
      if (!failures.isBusy(error)) throw failures.translate(error)
      return this.#untilFree(attempt, signal).catch((later: unknown) => {
        throw failures.translate(later)
      })
    }
  }

  #untilFree<T>(attempt: () => T, signal?: AbortSignal): Promise<T> {
    return untilFree(attempt, this.#context.failures, this.#context.busyTimeoutMs, signal)
  }

  #translate(error: unknown, { statement }: WritePlan, parameters: readonly unknown[]): unknown {
    return this.#context.failures.translate(error, {
      statement,
      parameters,
      database: this.#context.connection.database,
    })
  }
}
