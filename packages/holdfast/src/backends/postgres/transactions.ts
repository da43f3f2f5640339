import type { Connection, Plan, Row, TransactionOptions } from '../../backend/index.ts'
import { ConnectionError, TimeoutError, UnknownOutcomeError } from '../../base/errors.ts'
import { failedTransaction, translateError } from './errors.ts'
import { endsSession, type Failure, isServerError } from './exchange.ts'
import type { Link } from './link.ts'
import type { Outcomes } from './outcomes.ts'
import type { LinkPool } from './pool.ts'
import { PostgresTransaction, type TransactionContext } from './transaction.ts'

/** Runs transactions, each on a session of its own. */
export class Transactions {
  readonly #pool: LinkPool
  readonly #context: TransactionContext
  readonly #outcomes: Outcomes

  constructor(pool: LinkPool, context: TransactionContext, outcomes: Outcomes) {
    this.#pool = pool
    this.#context = context
    this.#outcomes = outcomes
  }

  /** Runs `work` in one transaction; see `Backend.transaction`. */
  async run<T>(options: TransactionOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
    const started = performance.now()
    const link = await this.#acquire(options.timeoutMs)
    let transaction: PostgresTransaction
    let value: T
    let failure: Failure | undefined
    try {
      transaction = new PostgresTransaction(link, this.#context, options)
      value = await this.#work(transaction, work, options.timeoutMs, performance.now() - started)
      failure = await this.#commit(transaction)
    } finally {
      this.#pool.release(link)
    }
    if (failure !== undefined) await this.#resolve(failure, transaction)
    return value
  }

  /** Reads in batches from one snapshot, on a session of its own. */
  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const link = await this.#pool.acquireForLong()
    const transaction = new PostgresTransaction(link, this.#context, { isolation: 'repeatable read', readOnly: true })
    try {
      yield* transaction.stream(plan, parameters)
    } finally {
      await transaction.rollback()
      this.#pool.release(link)
    }
  }

  async #work<T>(
    transaction: PostgresTransaction,
    work: (connection: Connection) => Promise<T>,
    timeoutMs: number | undefined,
    spentMs: number,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    try {
      if (timeoutMs === undefined) return await work(transaction)
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const reason = new TimeoutError('The transaction', timeoutMs)
          transaction.stop(reason)
          reject(reason)
        }, timeoutMs - spentMs)
      })
      return await Promise.race([work(transaction), late])
    } catch (error) {
      await transaction.rollback()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** @returns why nobody knows whether it is committed; undefined when it is. */
  async #commit(transaction: PostgresTransaction): Promise<Failure | undefined> {
    const outcome = await transaction.commit()
    if (outcome === 'committed') return undefined
    if (outcome === 'rolled back') throw failedTransaction(undefined)
    const { error, fate } = outcome
    // A server that ends the session may do so after the commit.
    const isKnown = fate === 'unsent' || (fate === 'refused' && isServerError(error) && !endsSession(error))
    if (isKnown || transaction.id === null) throw translateError(error, this.#context.subject)
    return outcome
  }

  /** Finds out what became of a commit whose answer was lost. */
  async #resolve({ error }: Failure, { id, serverRun }: PostgresTransaction): Promise<void> {
    const cause = translateError(error, this.#context.subject)
    const outcome = await this.#outcomes.of(id as string, serverRun)
    if (outcome === 'unknown') throw new UnknownOutcomeError(cause)
    if (outcome === 'aborted') {
      throw new ConnectionError('The connection was lost before the transaction was committed; it was undone.', {
        hint: 'Call again.',
        cause,
      })
    }
  }

  /** A session that comes too late goes back at once. */
  async #acquire(timeoutMs: number | undefined): Promise<Link> {
    const acquiring = this.#pool.acquireForLong()
    if (timeoutMs === undefined) return acquiring
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TimeoutError('The transaction', timeoutMs)), timeoutMs)
    })
    try {
      return await Promise.race([acquiring, late])
    } catch (error) {
      acquiring.then(
        (link) => this.#pool.release(link),
        () => undefined,
      )
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}
