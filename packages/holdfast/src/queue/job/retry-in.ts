import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkMs } from '../../schema/index.ts'

/**
 * What a handler throws when it knows how long to wait: the attempt has failed, and the next one comes after this pause instead of that of
 * `backoff`. The error and its stack are kept with the job. `fail` takes it too, and a handler of many jobs gives it for one of them.
 *
 * @param ms how long from now, by the database's clock: a whole number.
 * @throws ValidationError unless it is a number of milliseconds.
 *
 * @example
 * ```ts
 * if (response.status === 429) throw retryIn(Number(response.headers.get('retry-after')) * 1_000, new Error('Too many requests.'))
 * ```
 */
export function retryIn(ms: number, error: unknown): RetryIn {
  return new RetryIn(ms, error)
}

/** Made by `retryIn`. Its `cause` is the error. */
export class RetryIn extends Error {
  override readonly name = 'RetryIn'
  readonly ms: number

  /** @throws ValidationError unless it is a number of milliseconds. */
  constructor(ms: number, error: unknown) {
    const issues: Issue[] = []
    checkMs(ms, 0, 'ms', issues)
    if (issues.length > 0) throw new ValidationError('A job cannot be tried again then', issues)
    super(error instanceof Error ? error.message : String(error), { cause: error })
    this.ms = ms
    if (error instanceof Error && error.stack !== undefined) this.stack = error.stack
  }
}
