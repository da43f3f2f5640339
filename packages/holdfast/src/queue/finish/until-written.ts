import { isHoldfastError, UnknownOutcomeError } from '../../base/errors.ts'
import { pauseBefore } from '../../base/retry.ts'

/** Codes of errors that may not come again. */
const PASSING = new Set(['CONNECTION', 'TIMEOUT', 'SERIALIZATION', 'UNKNOWN_OUTCOME'])

/** Whether an error may not come again. */
export function isPassing(error: unknown): boolean {
  return isHoldfastError(error) && PASSING.has(error.code)
}

/** What came of a write that was repeated. */
export interface Written<T> {
  readonly value: T
  /** Whether it may have been written before, by an attempt whose answer was lost: then it does nothing any more. */
  readonly maybeBefore: boolean
}

/**
 * Repeats what writes down how jobs ended while the database cannot be reached: their work is done, and they keep their leases meanwhile.
 *
 * @param forMs how long to try: as long as their leases, since after that anybody may have them.
 */
export async function untilWritten<T>(write: () => Promise<T>, forMs: number): Promise<Written<T>> {
  const started = performance.now()
  let maybeBefore = false
  for (let attempt = 1; ; attempt++) {
    try {
      return { value: await write(), maybeBefore }
    } catch (error) {
      if (!isPassing(error) || performance.now() - started > forMs) throw error
      maybeBefore ||= error instanceof UnknownOutcomeError
      await pauseBefore(attempt)
    }
  }
}
