import { isHoldfastError } from '../base/errors.ts'

/** What a command ends with. */
export const EXIT = {
  done: 0,
  /** It could not be done; nothing, or nothing more, was. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** It was asked for a comparison, and there are differences. */
  differs: 3,
} as const

/** An error as it is shown: what happened, and what to do. */
export function describeFailure(error: unknown): {
  readonly code: string
  readonly message: string
  readonly hint: string
} {
  if (isHoldfastError(error)) return { code: error.code, message: error.message, hint: error.hint }
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error), hint: '' }
}
