import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkMs } from '../../schema/index.ts'

/**
 * What a handler gives back, or throws, instead of a result: the job is run again later, and this attempt does not count.
 *
 * @param ms how long from now, by the database's clock: a whole number.
 *
 * @example
 * ```ts
 * storage.queue('import').work(async (job) => ((await isReady(job.data)) ? load(job.data) : snooze(60_000)))
 * ```
 */
export function snooze(ms: number): Snooze {
  return new Snooze(ms)
}

/**
 * What a handler throws, or gives back, when trying again makes no sense: the job has failed, whatever attempts are left.
 *
 * @example
 * ```ts
 * if (response.status === 410) throw discard('The page is gone.')
 * ```
 */
export function discard(reason: string): Discard {
  return new Discard(reason)
}

/** Made by `snooze`. */
export class Snooze {
  readonly ms: number

  /** @throws ValidationError unless it is a number of milliseconds. */
  constructor(ms: number) {
    const issues: Issue[] = []
    checkMs(ms, 0, 'ms', issues)
    if (issues.length > 0) throw new ValidationError('A job cannot be put off', issues)
    this.ms = ms
  }
}

/** Made by `discard`. */
export class Discard extends Error {
  override readonly name = 'Discard'
}
