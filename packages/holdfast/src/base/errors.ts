/**
 * Every error Holdfast raises.
 *
 * One class for each thing a caller can do about it, one stable code for each thing that can go wrong.
 * The codes are listed in `docs/errors.md`, and a test keeps that page and this file in step.
 */

const BRAND = Symbol.for('holdfast.error')

/** The stable identifiers of what went wrong. They never change meaning between releases. */
export const ERROR_CODES = [
  'VALIDATION',
  'NOT_FOUND',
  'CONFLICT_UNIQUE',
  'CONFLICT_VERSION',
  'CONSTRAINT_FOREIGN_KEY',
  'CONSTRAINT_CHECK',
  'CONSTRAINT_NOT_NULL',
  'SERIALIZATION',
  'UNKNOWN_OUTCOME',
  'TIMEOUT',
  'CONNECTION',
  'LEASE_LOST',
  'MIGRATION',
  'SCHEMA_MISMATCH',
  'CONFIGURATION',
  'MISSING_DRIVER',
  'CLOSED',
  'TRANSACTION_MISUSE',
  'TRANSACTION_FAILED',
  'READ_ONLY',
  'CORRUPT',
  'DISK_FULL',
  'DRIVER',
] as const

/** The stable identifier of what went wrong; `docs/errors.md` lists them all. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** What every Holdfast error carries besides its message. */
export interface ErrorDetails {
  /** What to do about it, in one sentence. */
  readonly hint: string
  /** Whether the same call may succeed when it is made again, unchanged. */
  readonly retryable?: boolean
  /** The error underneath, usually the driver's. */
  readonly cause?: unknown
}

/**
 * The base of all Holdfast errors.
 *
 * Use {@link isHoldfastError} instead of `instanceof` where two copies of the package may be installed.
 */
export class HoldfastError extends Error {
  /** The class name, kept through minifiers and JSON. */
  override readonly name: string = 'HoldfastError'
  /** What went wrong, for programs. */
  readonly code: ErrorCode
  /** What to do about it, for people. */
  readonly hint: string
  /** Whether the same call may succeed when it is made again, unchanged. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.retryable = details.retryable ?? false
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** The error as data, safe to log: it holds no stored value beyond those its message names. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, hint, retryable } = this
    return { name, code, message, hint, retryable }
  }
}

/** One reason why a value was refused. */
export interface Issue {
  /** Where: the field, dotted for what lies inside it, such as `address.city` or `values.3.name`. */
  readonly path: string
  /** Why, as a clause: `must be a safe integer, got 1.5`. */
  readonly reason: string
}

/** How many reasons a `ValidationError` keeps, how many its message tells, and the longest paths of both. */
const MOST_ISSUES = 100
const MOST_TOLD = 10
const LONGEST_KEPT = 10_000
const LONGEST_TOLD = 200

/** A value, a field name or an operator that was refused before anything was written. */
export class ValidationError extends HoldfastError {
  override readonly name = 'ValidationError'
  /** The reasons found, in the order of the input: the first hundred. */
  readonly issues: readonly Issue[]

  constructor(
    subject: string,
    issues: readonly Issue[],
    hint = 'Correct the named fields and call again.',
    cause?: unknown,
  ) {
    const kept = issues.slice(0, MOST_ISSUES).map((issue) => shortened(issue, LONGEST_KEPT))
    const told = kept.slice(0, MOST_TOLD).map((issue) => describeIssue(shortened(issue, LONGEST_TOLD)))
    const rest = issues.length > MOST_TOLD ? `; and ${issues.length - MOST_TOLD} more` : ''
    super('VALIDATION', `${subject}: ${told.join('; ')}${rest}`, { hint, cause })
    this.issues = kept
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), issues: this.issues }
  }
}

function shortened(issue: Issue, longest: number): Issue {
  const { path, reason } = issue
  return path.length > longest ? { path: `${path.slice(0, 120)}…${path.slice(-60)}`, reason } : issue
}

function describeIssue({ path, reason }: Issue): string {
  return path === '' ? reason : `${path} ${reason}`
}

/** `getById` and its kin found no such record. */
export class NotFoundError extends HoldfastError {
  override readonly name = 'NotFoundError'
  /** The model that was searched. */
  readonly model: string
  /** The key that was asked for. */
  readonly key: unknown

  constructor(model: string, key: unknown, hint = 'Use findById where the record may be missing; it answers null.') {
    super('NOT_FOUND', `${model} has no record with the key ${describeKey(key)}.`, { hint })
    this.model = model
    this.key = key
  }
}

function describeKey(key: unknown): string {
  const whole = JSON.stringify(key, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)) ?? String(key)
  return whole.length > LONGEST_TOLD ? `${whole.slice(0, LONGEST_TOLD)}…` : whole
}

/** The write collides with what is stored: a unique value that exists already, or a newer version. */
export class ConflictError extends HoldfastError {
  override readonly name = 'ConflictError'
  /** The model written to. */
  readonly model: string
  /** The fields that collide, in the order of the constraint; `['version']` for a version conflict. */
  readonly fields: readonly string[]

  constructor(code: 'CONFLICT_UNIQUE' | 'CONFLICT_VERSION', model: string, fields: readonly string[], cause?: unknown) {
    const unique = code === 'CONFLICT_UNIQUE'
    super(
      code,
      unique
        ? `${model} already has a record with this ${fields.join(' and ')}.`
        : `The record of ${model} was changed by somebody else since it was read.`,
      {
        hint: unique ? 'Use upsert to write over it, or choose another value.' : 'Read it again and repeat the change.',
        cause,
      },
    )
    this.model = model
    this.fields = fields
  }
}

/** The write breaks a rule of the schema: a foreign key, a check or a value that may not be null. */
export class ConstraintError extends HoldfastError {
  override readonly name = 'ConstraintError'
  /** The model whose rule was broken. */
  readonly model: string
  /** The fields of the rule; empty where the database does not say. */
  readonly fields: readonly string[]

  constructor(
    code: 'CONSTRAINT_FOREIGN_KEY' | 'CONSTRAINT_CHECK' | 'CONSTRAINT_NOT_NULL',
    model: string,
    fields: readonly string[],
    cause?: unknown,
  ) {
    const named = fields.length === 0 ? 'a field' : fields.join(' and ')
    const [message, hint] = {
      CONSTRAINT_FOREIGN_KEY: [
        `A reference from ${model}.${named} would point to no record.`,
        'Write the referenced record first, or delete the records that refer to it.',
      ],
      CONSTRAINT_CHECK: [`${model}.${named} breaks a check of the schema.`, 'Write a value that the check allows.'],
      CONSTRAINT_NOT_NULL: [`${model}.${named} may not be null.`, 'Give it a value, or declare it .nullable().'],
    }[code] as [string, string]
    super(code, message, { hint, cause })
    this.model = model
    this.fields = fields
  }
}

/** Concurrent transactions could not be put in an order, and the retries are used up. */
export class SerializationError extends HoldfastError {
  override readonly name = 'SerializationError'

  constructor(message: string, cause?: unknown) {
    super('SERIALIZATION', message, {
      hint: 'Call again, keep transactions shorter, or raise `retries`.',
      retryable: true,
      cause,
    })
  }
}

/** The reply to a commit was lost and nobody can tell whether it took effect. It is never replayed blindly. */
export class UnknownOutcomeError extends HoldfastError {
  override readonly name = 'UnknownOutcomeError'

  constructor(cause?: unknown) {
    super('UNKNOWN_OUTCOME', 'The connection was lost while the transaction committed: it may or may not have.', {
      hint: 'Read the data back before repeating the change.',
      cause,
    })
  }
}

/** A deadline passed: of a call, of a transaction or of waiting for a connection or a lock. */
export class TimeoutError extends HoldfastError {
  override readonly name = 'TimeoutError'

  constructor(what: string, timeoutMs: number, cause?: unknown) {
    super('TIMEOUT', `${what} took longer than ${timeoutMs} ms.`, {
      hint: 'Raise the timeout, or find what holds the lock or the connection.',
      retryable: true,
      cause,
    })
  }
}

/** The database cannot be reached, refused us, or went away. */
export class ConnectionError extends HoldfastError {
  override readonly name = 'ConnectionError'

  constructor(message: string, details: Partial<ErrorDetails> & { readonly code?: 'CONNECTION' | 'CLOSED' } = {}) {
    super(details.code ?? 'CONNECTION', message, {
      hint: details.hint ?? 'Check that the server runs and that the target names it.',
      retryable: details.retryable ?? true,
      cause: details.cause,
    })
  }
}

/** The worker no longer holds the job: its lease ran out and somebody else may be running it, or it was cancelled. */
export class LeaseLostError extends HoldfastError {
  override readonly name = 'LeaseLostError'
  /** Whether it is known that the job was cancelled. */
  readonly cancelled: boolean

  constructor(what: string, cancelled = false) {
    super('LEASE_LOST', cancelled ? `${what} was cancelled.` : `The lease of ${what} was lost.`, {
      hint: cancelled
        ? 'Stop working on it.'
        : 'Stop working on it; raise `leaseMs` or call `extend` while the work goes on.',
    })
    this.cancelled = cancelled
  }
}

/** The tables in the database do not fit the schema in the code, or a migration failed. */
export class MigrationError extends HoldfastError {
  override readonly name = 'MigrationError'
  /** Every difference found, one sentence each. */
  readonly differences: readonly string[]

  constructor(
    message: string,
    options: {
      readonly code?: 'MIGRATION' | 'SCHEMA_MISMATCH'
      readonly hint: string
      readonly differences?: readonly string[]
      readonly cause?: unknown
    },
  ) {
    super(options.code ?? 'MIGRATION', message, { hint: options.hint, cause: options.cause })
    this.differences = options.differences ?? []
  }
}

/** A target, an option, a schema or the way a call is made is wrong. */
export class ConfigurationError extends HoldfastError {
  override readonly name = 'ConfigurationError'

  constructor(
    message: string,
    details: ErrorDetails & { readonly code?: 'CONFIGURATION' | 'MISSING_DRIVER' | 'TRANSACTION_MISUSE' },
  ) {
    super(details.code ?? 'CONFIGURATION', message, details)
  }
}

/**
 * The storage itself failed: a read-only or corrupt file, a full disk, a transaction that can only roll back,
 * or something the driver reported that has no better name.
 */
export class StorageError extends HoldfastError {
  override readonly name = 'StorageError'

  constructor(
    code: 'READ_ONLY' | 'CORRUPT' | 'DISK_FULL' | 'TRANSACTION_FAILED' | 'DRIVER',
    message: string,
    details: ErrorDetails,
  ) {
    super(code, message, details)
  }
}

/**
 * Whether a caught value is an error of Holdfast, whichever copy of the package raised it.
 *
 * @example
 * ```ts
 * try { await users.create(row) } catch (error) {
 *   if (isHoldfastError(error) && error.code === 'CONFLICT_UNIQUE') return 'taken'
 *   throw error
 * }
 * ```
 */
export function isHoldfastError(value: unknown): value is HoldfastError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true
}
