import assert from 'node:assert/strict'
import { type ErrorCode, type HoldfastError, isHoldfastError } from '../../base/errors.ts'

/** What an error must be. */
export interface ExpectedError {
  readonly code: ErrorCode
  /** The model it names. */
  readonly model?: string
  /** The fields it names, in order. */
  readonly fields?: readonly string[]
  /** The paths of a `ValidationError`'s issues, in order. */
  readonly paths?: readonly string[]
}

/** The class that carries each code, as `docs/errors.md` has it. */
const classes: { readonly [Code in ErrorCode]: string } = {
  VALIDATION: 'ValidationError',
  NOT_FOUND: 'NotFoundError',
  CONFLICT_UNIQUE: 'ConflictError',
  CONFLICT_VERSION: 'ConflictError',
  CONSTRAINT_FOREIGN_KEY: 'ConstraintError',
  CONSTRAINT_CHECK: 'ConstraintError',
  CONSTRAINT_NOT_NULL: 'ConstraintError',
  SERIALIZATION: 'SerializationError',
  UNKNOWN_OUTCOME: 'UnknownOutcomeError',
  TIMEOUT: 'TimeoutError',
  CONNECTION: 'ConnectionError',
  CLOSED: 'ConnectionError',
  LEASE_LOST: 'LeaseLostError',
  MIGRATION: 'MigrationError',
  SCHEMA_MISMATCH: 'MigrationError',
  CONFIGURATION: 'ConfigurationError',
  MISSING_DRIVER: 'ConfigurationError',
  TRANSACTION_MISUSE: 'ConfigurationError',
  TRANSACTION_FAILED: 'StorageError',
  READ_ONLY: 'StorageError',
  CORRUPT: 'StorageError',
  DISK_FULL: 'StorageError',
  DRIVER: 'StorageError',
}

/**
 * Asserts that a call is refused with this error, thrown or rejected, and gives the error.
 *
 * @param call a function, so that what it throws at once is seen too; or what it gave.
 */
export async function refused(
  call: Promise<unknown> | (() => unknown),
  expected: ExpectedError | ErrorCode,
): Promise<HoldfastError> {
  const { code, ...rest } = typeof expected === 'string' ? { code: expected } : expected
  const error = await errorOf(call)
  assert.ok(isHoldfastError(error), `expected ${code}, got ${describeError(error)}`)
  const { paths, ...named } = rest as Partial<ExpectedError>
  const actual: Record<string, unknown> = { code: error.code, name: error.name }
  for (const key of Object.keys(named)) actual[key] = (error as unknown as Record<string, unknown>)[key]
  if (paths !== undefined)
    actual['paths'] = 'issues' in error && (error.issues as { path: string }[]).map(({ path }) => path)
  assert.deepEqual(actual, { code, name: classes[code], ...rest }, describeError(error))
  assert.notEqual(error.hint, '', 'an error says what to do about it')
  return error
}

async function errorOf(call: Promise<unknown> | (() => unknown)): Promise<unknown> {
  let value: unknown
  try {
    value = await (typeof call === 'function' ? call() : call)
  } catch (error) {
    return error
  }
  assert.fail(
    `was not refused, it gave ${JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner))}`,
  )
}

function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** Something whose records can be read: a repository. */
interface Readable {
  find(): Promise<readonly object[]>
}

/** Asserts that a call is refused and that the records of these repositories are as they were before. */
export async function refusedWhole(
  repositories: Readable | readonly Readable[],
  call: () => unknown,
  expected: ExpectedError | ErrorCode,
): Promise<HoldfastError> {
  const all = Array.isArray(repositories) ? (repositories as readonly Readable[]) : [repositories as Readable]
  const before = await Promise.all(all.map((repository) => repository.find()))
  const error = await refused(call, expected)
  const after = await Promise.all(all.map((repository) => repository.find()))
  assert.deepEqual(after, before, 'the data is not as it was before the refused call')
  return error
}

/** Passes a value of a wrong type on, as a program without types would. */
export function wrong(value: unknown): never {
  return value as never
}

/** The values of one field, in order. */
export function pick<Row extends object, Name extends keyof Row>(rows: readonly Row[], name: Name): Row[Name][] {
  return rows.map((row) => row[name])
}

/** Everything an async iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
