import { ConfigurationError, type Issue, ValidationError } from '../base/errors.ts'
import { describe } from './describe.ts'
import { isStorableText, UNSTORABLE_TEXT } from './json.ts'
import { unreadable } from './unreadable.ts'

/** The longest time that is taken as so many milliseconds: a century. What is longer leads to times that no database has. */
const LONGEST_MS = 3_155_760_000_000

/** The names of options, or why there are none. */
function namesOf(options: unknown): readonly string[] | string {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return `must be an object, got ${describe(options)}`
  try {
    return Object.keys(options)
  } catch {
    return 'cannot be read: looking at it throws'
  }
}

/**
 * Adds an issue for every unknown option, and for what cannot hold options at all.
 *
 * @returns whether it holds options, known or not.
 */
export function checkKnown(options: unknown, known: readonly string[], prefix: string, issues: Issue[]): boolean {
  const names = namesOf(options)
  if (typeof names === 'string') {
    issues.push({ path: prefix === '' ? 'options' : prefix.slice(0, -1), reason: names })
    return false
  }
  for (const option of names) {
    if (!known.includes(option))
      issues.push({ path: prefix + option, reason: `is not an option; known: ${known.join(', ')}` })
  }
  return true
}

/**
 * Refuses unknown options: one that is misspelt would be left out silently.
 *
 * @throws ValidationError
 */
export function assertOptions(subject: string, options: unknown, known: readonly string[]): void {
  const issues: Issue[] = []
  try {
    checkKnown(options, known, '', issues)
  } catch (error) {
    throw unreadable(error, subject, { options })
  }
  if (issues.length > 0) throw new ValidationError(subject, issues)
}

/** What the value of an option must be: the test, the rest of `must be …`, and whether no error may show the value. */
export interface OptionRule {
  readonly holds: (value: unknown) => boolean
  readonly be: string
  readonly secret?: boolean
}

/** Rules that many options have. */
export interface OptionRules {
  readonly flag: OptionRule
  readonly text: OptionRule
  readonly timeoutMs: OptionRule
  atLeast(least: number): OptionRule
  oneOf(values: readonly string[]): OptionRule
}

export const optionRules: OptionRules = {
  flag: { holds: (value) => typeof value === 'boolean', be: 'true or false' },
  text: { holds: (value) => typeof value === 'string' && value !== '', be: 'text that is not empty' },
  // What a timer can wait: a longer one would go off at once.
  timeoutMs: {
    holds: (value) => typeof value === 'number' && value > 0 && value <= 2 ** 31 - 1,
    be: 'a number of milliseconds above 0, at most 24 days',
  },
  atLeast: (least) => ({
    holds: (value) => Number.isSafeInteger(value) && (value as number) >= least,
    be: `a whole number from ${least} on`,
  }),
  oneOf: (values) => ({
    holds: (value) => values.includes(value as string),
    be: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
  }),
}

/** Adds an issue for every option that is unknown or has an invalid value; undefined counts as left out. */
export function checkOptions(
  options: unknown,
  rules: Readonly<Record<string, OptionRule>>,
  issues: Issue[],
  prefix = '',
): void {
  checkKnown(options, Object.keys(rules), prefix, issues)
  for (const [name, { holds, be, secret = false }] of Object.entries(rules)) {
    const value: unknown = (options as Record<string, unknown> | null)?.[name]
    if (value !== undefined && !holds(value))
      issues.push({ path: prefix + name, reason: `must be ${be}${secret ? '' : `, got ${describe(value)}`}` })
  }
}

/**
 * Checks the options with which something is set up; those that are undefined count as left out.
 *
 * @throws ConfigurationError naming every option that is unknown or has an invalid value.
 */
export function assertConfiguration<Options>(
  subject: string,
  options: unknown,
  rules: Readonly<Record<keyof Options & string, OptionRule>>,
): void {
  const issues: Issue[] = []
  try {
    checkOptions(options, rules, issues)
  } catch (error) {
    const { message } = unreadable(error, subject, { options }) as Error
    throw new ConfigurationError(`${message}.`, { hint: 'Pass plain data, whose members can be read.', cause: error })
  }
  if (issues.length === 0) return
  const { message } = new ValidationError(subject, issues)
  throw new ConfigurationError(`${message}.`, { hint: 'Correct the named options.' })
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

/** Adds an issue unless the value is an `AbortSignal`, or is left out. */
export function checkSignal(value: unknown, path: string, issues: Issue[]): void {
  if (value !== undefined && !(value instanceof AbortSignal))
    issues.push({ path, reason: `must be an AbortSignal, got ${describe(value)}` })
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
