import {
  ConnectionError,
  type HoldfastError,
  isHoldfastError,
  SerializationError,
  StorageError,
  TimeoutError,
} from '../../base/errors.ts'
import type { Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import {
  checkViolation,
  columnViolation,
  foreignKeyViolation,
  keysUsedUp,
  outOfRange,
  uniqueViolation,
} from '../sql/index.ts'
import { type Failure, isServerError, type ServerError } from './exchange.ts'

/** What an error of the driver is called, for people: without the password, which no message holds. */
export interface Subject {
  /** `Postgres at 127.0.0.1:5432, database app, user me`. */
  readonly server: string
  readonly statementTimeoutMs: number
  readonly models: Models
}

/** The error of ours for one of the server or the driver. */
export function translateError(error: unknown, subject: Subject, statement?: Statement): HoldfastError {
  if (isHoldfastError(error)) return error
  return isServerError(error) ? serverError(error, subject, statement) : connectionLost(error, subject.server)
}

/** The error of ours for a connection that could not be made. */
export function translateConnectError(error: unknown, subject: Subject): HoldfastError {
  if (isHoldfastError(error)) return error
  if (isServerError(error)) return serverError(error, subject)
  const reason = reasonOf(error)
  const encryption = /\b(ssl|tls|certificate)\b/i.test(reason)
    ? { retryable: false, hint: 'Check `ssl`, or sslmode in the URL, and the certificate of the server.' }
    : {}
  return new ConnectionError(`${subject.server} cannot be reached: ${reason}.`, { ...encryption, cause: error })
}

function connectionLost(error: unknown, server: string): ConnectionError {
  return new ConnectionError(`The connection to ${server} was lost: ${reasonOf(error)}.`, { cause: error })
}

/** Node tries all addresses of a host and then says nothing but what went wrong with each. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { readonly message?: string; readonly code?: string }
  return message || code || String(error)
}

function serverError(error: ServerError, subject: Subject, statement?: Statement): HoldfastError {
  const { code } = error
  const { models } = subject
  switch (code) {
    case '23505':
      return uniqueViolation(models, error.constraint ?? '', error)
    case '23503':
      return foreignKeyViolation(models, error.constraint ?? '', error)
    case '23514':
      return checkViolation(models, error.constraint ?? '', error)
    case '23502':
      return columnViolation('CONSTRAINT_NOT_NULL', models, error.table ?? '', error.column ?? '', error)
    case '22003':
      return (statement && outOfRange(statement, models, error.routine === 'int8mul', error)) ?? refused(error)
    case '2200H':
      return (statement && keysUsedUp(statement, models, error)) ?? refused(error)
    case '40001':
      return new SerializationError('The transaction could not be ordered among those running beside it.', error)
    case '40P01':
      return new SerializationError('The transaction and another one waited for each other.', error)
    case '57014':
      return new TimeoutError('A statement', subject.statementTimeoutMs, error)
    case '55P03':
      return new TimeoutError('Waiting for a lock', LOCK_TIMEOUT_MS, error)
    case '25P02':
      return failedTransaction(error)
    case '25006':
      return new StorageError('READ_ONLY', 'Postgres takes no writes here.', {
        hint: 'Leave out readOnly, or connect to the primary; after a failover call again.',
        cause: error,
      })
    case '53100':
      return new StorageError('DISK_FULL', 'The disk of the Postgres server is full.', {
        hint: 'Free space on the server.',
        retryable: true,
        cause: error,
      })
    case 'XX001':
    case 'XX002':
      return new StorageError('CORRUPT', `Postgres found its data corrupt: ${error.message}.`, {
        hint: 'Stop writing, keep a copy of the data directory, and restore a backup.',
        cause: error,
      })
    default:
      return sessionError(error, subject) ?? refused(error)
  }
}

/** How long a change of the schema waits for a lock. */
export const LOCK_TIMEOUT_MS = 60_000

/** What a statement fails with whose transaction can only roll back. */
export function failedTransaction(cause: unknown): StorageError {
  return new StorageError('TRANSACTION_FAILED', 'A statement of this transaction failed, so it can only roll back.', {
    hint: 'Let the error leave the transaction, or put what may fail into a nested one.',
    cause,
  })
}

/** Errors about the session rather than the statement. */
function sessionError(error: ServerError, { server }: Subject): ConnectionError | undefined {
  const refuse = (reason: string, hint: string, retryable = false): ConnectionError =>
    new ConnectionError(`${server} refused the connection: ${reason}.`, { hint, retryable, cause: error })
  switch (error.code) {
    case '28P01':
    case '28000':
      return refuse(error.message, 'Check the user and the password, and what pg_hba.conf of the server allows.')
    case '3D000':
      return refuse(error.message, 'Create the database, or correct its name.')
    case '53300':
      return refuse(error.message, 'Lower `max`, raise max_connections of the server, or use a pooler.', true)
    default:
      return /^(08|57P|25P03|25P04)/.test(error.code) ? connectionLost(error, server) : undefined
  }
}

function refused(error: ServerError): StorageError {
  return new StorageError('DRIVER', `Postgres refused the statement: ${error.message} (${error.code}).`, {
    hint:
      HINTS[error.code] ??
      'See the code in the list of error codes of Postgres, and the cause for what it says besides.',
    cause: error,
  })
}

const HINTS: Readonly<Record<string, string>> = {
  '42P01': 'The table is missing: open the storage with autoCreate, or create the tables first.',
  '42501': 'Grant the user what it lacks.',
  '26000': 'The pooler between changes sessions: open the backend with prepare: false.',
}

/** Says that a prepared statement is gone, is there already, or no longer fits the tables. Nothing was done then. */
export function isStale({ error }: Failure): boolean {
  if (!isServerError(error)) return false
  const { code, routine } = error
  return code === '26000' || code === '42P05' || (code === '0A000' && routine === 'RevalidateCachedQuery')
}

/** Says that the server takes no writes: after a failover, that a session is with the server that is no longer the primary. */
export function isReadOnly({ error }: Failure): boolean {
  return isServerError(error) && error.code === '25006'
}

/** Says that the session is gone, rather than that the server refused something or took too long. */
export function isSessionGone({ error }: Failure): boolean {
  return isServerError(error) ? /^(57P|08)/.test(error.code) : !isHoldfastError(error)
}
