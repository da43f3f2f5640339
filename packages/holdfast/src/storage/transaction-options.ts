import type { RetryingTransactionOptions } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'

const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isPositive = (value: unknown) => typeof value === 'number' && value > 0

/** What each option may be. */
const rules: Readonly<Record<keyof RetryingTransactionOptions, readonly [(value: unknown) => boolean, string]>> = {
  isolation: [
    (value) => ['serializable', 'repeatable read', 'read committed'].includes(value as string),
    "must be 'serializable', 'repeatable read' or 'read committed'",
  ],
  readOnly: [(value) => typeof value === 'boolean', 'must be true or false'],
  timeoutMs: [isPositive, 'must be a number of milliseconds above 0'],
  retries: [isWhole, 'must be a whole number from 0 on'],
}

/** @throws ValidationError naming every option that is none, or has a value that it cannot have. */
export function assertTransactionOptions(options: RetryingTransactionOptions): void {
  const issues: Issue[] = []
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof typeof rules] : undefined
    if (rule === undefined)
      issues.push({ path: name, reason: `is no option; there are ${Object.keys(rules).join(', ')}` })
    else if (value !== undefined && !rule[0](value))
      issues.push({ path: name, reason: `${rule[1]}, got ${describe(value)}` })
  }
  if (issues.length > 0) throw new ValidationError('The options of a transaction were refused', issues)
}
