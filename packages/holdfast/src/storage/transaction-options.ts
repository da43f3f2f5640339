import type { RetryingTransactionOptions } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { checkOptions, describe, type OptionRule, optionRules, unreadable } from '../schema/index.ts'

const rules: Readonly<Record<keyof RetryingTransactionOptions, OptionRule>> = {
  isolation: optionRules.oneOf(['serializable', 'repeatable read', 'read committed']),
  readOnly: optionRules.flag,
  timeoutMs: optionRules.timeoutMs,
  retries: optionRules.atLeast(0),
}

/** What callers mean who give no options: there is nothing to check, which is a hundredth of the time of a short transaction. */
export const NO_OPTIONS: RetryingTransactionOptions = Object.freeze({})

const SUBJECT = 'The options of a transaction were refused'

/** @throws ValidationError unless it is a function. */
export function assertFunction(work: unknown, path: string): void {
  if (typeof work === 'function') return
  const reason = `must be a function, got ${describe(work)}`
  throw new ValidationError('The transaction was refused', [{ path, reason }])
}

/** @throws ValidationError naming every option that is unknown or has an invalid value. */
export function assertTransactionOptions(options: RetryingTransactionOptions): void {
  if (options === NO_OPTIONS) return
  const issues: Issue[] = []
  try {
    checkOptions(options, rules, issues)
  } catch (error) {
    throw unreadable(error, SUBJECT, { '': options })
  }
  if (issues.length > 0) throw new ValidationError(SUBJECT, issues)
}
