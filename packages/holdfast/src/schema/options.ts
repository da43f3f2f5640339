import { type Issue, ValidationError } from '../base/errors.ts'
import { describe } from './accept.ts'
import { isStorableText, UNSTORABLE_TEXT } from './json.ts'
import { unreadable } from './unreadable.ts'

/** The longest time that is taken as so many milliseconds: a century. What is longer leads to times that no database has. */
const LONGEST_MS = 3_155_760_000_000

/** Adds an issue for every option that is none of the known ones, and for what holds no options at all. */
export function checkKnown(options: object, known: readonly string[], prefix: string, issues: Issue[]): void {
  if (typeof options !== 'object' || options === null) {
    issues.push({
      path: prefix === '' ? 'options' : prefix.slice(0, -1),
      reason: `must be an object, got ${describe(options)}`,
    })
    return
  }
  for (const option of Object.keys(options)) {
    if (!known.includes(option))
      issues.push({ path: prefix + option, reason: `is no option; there are ${known.join(', ')}` })
  }
}

/**
 * Refuses options that there are not: one that is misspelt would be left out silently.
 *
 * @throws ValidationError
 */
export function assertOptions(subject: string, options: unknown, known: readonly string[]): void {
  const issues: Issue[] = []
  try {
    checkKnown(options as object, known, '', issues)
  } catch (error) {
    throw unreadable(error, subject, { options })
  }
  if (issues.length > 0) throw new ValidationError(subject, issues)
}

/** Adds an issue unless the value is a safe integer that is large enough. */
export function checkWhole(value: unknown, least: number, path: string, issues: Issue[]): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  issues.push({ path, reason: `must be a whole number from ${least} on, got ${describe(value)}` })
}

/** Adds an issue unless the value is so many milliseconds that something may last. */
export function checkMs(value: unknown, least: number, path: string, issues: Issue[]): void {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= LONGEST_MS) return
  const reason = `must be a whole number of milliseconds from ${least} to ${LONGEST_MS}, got ${describe(value)}`
  issues.push({ path, reason })
}

/** The longest name, in bytes of UTF-8: two of them and some numbers fit into a row of an index everywhere. */
const LONGEST_NAME = 1_000

/** Adds an issue unless the value is a text that can name something: neither empty nor too long nor one that databases refuse. */
export function checkName(value: unknown, path: string, issues: Issue[]): void {
  if (typeof value !== 'string' || value === '')
    issues.push({ path, reason: `must be text that is not empty, got ${describe(value)}` })
  else if (!isStorableText(value)) issues.push({ path, reason: UNSTORABLE_TEXT })
  else if (Buffer.byteLength(value) > LONGEST_NAME)
    issues.push({ path, reason: `must be at most ${LONGEST_NAME} bytes of UTF-8, got ${Buffer.byteLength(value)}` })
}
