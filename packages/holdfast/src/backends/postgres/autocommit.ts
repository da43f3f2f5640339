import type { Result } from '../../backend/index.ts'
import { ConfigurationError, type HoldfastError, UnknownOutcomeError } from '../../base/errors.ts'
import type { Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import { isReadOnly, isSessionGone, isStale, type Subject, translateError } from './errors.ts'
import type { Answer, Failure, Reply, Request } from './exchange.ts'
import type { Link } from './link.ts'
import type { LinkPool } from './pool.ts'

/** What requests outside a transaction came to. */
export type Outcome =
  | { readonly replies: readonly Reply[]; readonly failure?: never }
  /** Nothing took effect, or nobody knows. */
  | { readonly failure: Failure; readonly replies?: never }

/** Sends requests outside a transaction: those that are sent together take effect together. */
export class Autocommit {
  readonly #pool: LinkPool
  readonly #subject: Subject

  constructor(pool: LinkPool, subject: Subject) {
    this.#pool = pool
    this.#subject = subject
  }

  /**
   * @param writes false when all may be sent again after an answer that was lost.
   * @throws ConnectionError, TimeoutError when there is no session to send them through.
   */
  async run(requests: readonly Request[], writes: boolean): Promise<Outcome> {
    for (let failedAnew = false; ; ) {
      const outcome = await this.#once(requests)
      if (outcome.failure === undefined || !isSessionGone(outcome.failure)) return outcome
      if (writes && outcome.failure.fate !== 'unsent') return outcome
      // Sessions may have been ended while they were idle, and say so only now; there are only so many of those.
      if (failedAnew && !outcome.wasIdle) return outcome
      failedAnew ||= !outcome.wasIdle
    }
  }

  #once(requests: readonly Request[]): Promise<Outcome & { readonly wasIdle: boolean }> {
    return this.#pool.use(async (link) => {
      const { wasIdle } = link
      let answer = await link.run(requests)
      if (answer.failure !== undefined && isStale(answer.failure)) answer = await this.#again(link, requests)
      if (answer.failure === undefined) return { replies: answer.replies, wasIdle }
      if (isReadOnly(answer.failure) || isSessionGone(answer.failure)) link.retire()
      return { failure: answer.failure, wasIdle }
    })
  }

  /** Runs one statement that may be repeated, and gives its rows. */
  async ask(text: string, values: readonly string[]): Promise<Reply> {
    const { replies, failure } = await this.run([{ name: '', text, values }], false)
    if (failure !== undefined) throw this.errorOf(failure, false)
    return replies[0] as Reply
  }

  /**
   * Runs SQL as it stands. Nobody knows what it does, so that without an answer it may have written.
   *
   * @throws ConfigurationError when it leaves a transaction open, which is rolled back: the next call may run on another session.
   */
  sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#pool.use(async (link) => {
      const { result, failure } = await link.raw(text, parameters)
      if (failure !== undefined) throw this.errorOf(failure, true)
      if (!link.reusable) throw leftOpen()
      return result
    })
  }

  /**
   * Runs statements one by one, each for as long as it takes, on a session that is then ended: some can be in no transaction. Gives the rows of
   * the last.
   *
   * @param models those that the statements are about, for what they fail with.
   */
  alone(texts: readonly string[], models: Models, deadlineMs: number): Promise<Reply['rows']> {
    return this.#pool.use(async (link) => {
      link.retire()
      let rows: Reply['rows'] = []
      for (const text of texts) {
        const { replies, failure } = await link.run([{ name: '', text, values: [] }], deadlineMs)
        if (failure !== undefined) throw translateError(failure.error, { ...this.#subject, models })
        rows = replies[0]?.rows ?? []
      }
      return rows
    })
  }

  /** The error for a failure; a write whose answer was lost may have taken effect. */
  errorOf({ error, fate }: Failure, writes: boolean, statement?: Statement): HoldfastError {
    const translated = translateError(error, this.#subject, statement)
    return writes && fate === 'lost' ? new UnknownOutcomeError(translated) : translated
  }

  #again(link: Link, requests: readonly Request[]): Promise<Answer> {
    link.forgetPrepared()
    return link.run(requests)
  }
}

function leftOpen(): ConfigurationError {
  return new ConfigurationError('The SQL began a transaction and did not end it, so it was rolled back.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Use storage.transaction, and tx.sql inside it.',
  })
}
