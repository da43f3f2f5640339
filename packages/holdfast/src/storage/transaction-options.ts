import type { RetryingTransactionOptions } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { checkKnown, describe, unreadable } from '../schema/index.ts'

/** A longer timer would go off at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isPositive = (value: unknown) => typeof value === 'number' && value > 0 && value <= LONGEST_TIMEOUT_MS

/** What each option may be. */
const rules: Readonly<Record<keyof RetryingTransactionOptions, readonly [(value: unknown) => boolean, string]>> = {
  isolation: [
    (value) => ['serializable', 'repeatable read', 'read committed'].includes(value as string),
    "must be 'serializable', 'repeatable read' or 'read committed'",
  ],
  readOnly: [(value) => typeof value === 'boolean', 'must be true or false'],
  timeoutMs: [isPositive, 'must be a number of milliseconds above 0, at most 24 days'],
  retries: [isWhole, 'must be a whole number from 0 on'],
}

const SUBJECT = 'The options of a transaction were refused'

/** @throws ValidationError for what is no function. */
export function assertFunction(work: unknown, path: string): void {
  if (typeof work === 'function') return
  const reason = `must be a function, got ${describe(work)}`
  throw new ValidationError('The transaction was refused', [{ path, reason }])
}

/** @throws ValidationError naming every option that is none, or has a value that it cannot have. */
export function assertTransactionOptions(options: RetryingTransactionOptions): void {
  const issues: Issue[] = []
  try {
    checkKnown(options, Object.keys(rules), '', issues)
    for (const [name, [holds, reason]] of Object.entries(rules)) {
      const value: unknown = (options as Record<string, unknown> | null)?.[name]
      if (value !== undefined && !holds(value)) issues.push({ path: name, reason: `${reason}, got ${describe(value)}` })
    }
  } catch (error) {
    throw unreadable(error, SUBJECT, { '': options })
  }
  if (issues.length > 0) throw new ValidationError(SUBJECT, issues)
}
