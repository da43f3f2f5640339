import {
  ConfigurationError,
  ConnectionError,
  ConstraintError,
  type HoldfastError,
  isHoldfastError,
  SerializationError,
  StorageError,
} from '../../base/errors.ts'
import type { Model, Models } from '../../schema/index.ts'
import {
  bindAll,
  checkViolation,
  columnViolation,
  outOfRange,
  primaryKeyName,
  referenceQuestions,
  sqliteDialect,
  uniqueViolation,
} from '../sql/index.ts'
import { type Attempt, cameTo, isKeyTaken, rowsIn } from './attempt.ts'
import type { Driver } from './driver.ts'
import { RemoteError } from './worker.ts'

/** Makes errors of ours out of errors of a driver. */
export class Failures {
  readonly #driver: Driver
  readonly #models: Models

  constructor(driver: Driver, models: Models) {
    this.#driver = driver
    this.#models = models
  }

  /** The same for other models. */
  about(models: Models): Failures {
    return new Failures(this.#driver, models)
  }

  /** Whether another connection has what this one needs, so that it can be tried again. */
  isBusy(error: unknown): boolean {
    const code = this.#codeOf(error)
    return code !== undefined && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
  }

  /** The error to raise for a caught one. Errors of ours are given back as they are. */
  translate(error: unknown, attempt?: Attempt): unknown {
    if (isHoldfastError(error)) return error
    const code = this.#codeOf(error) ?? ''
    const message = error instanceof Error ? error.message : String(error)
    if (code.startsWith('SQLITE_CONSTRAINT')) return this.#constraint(code, message, error, attempt)
    return (attempt !== undefined && this.#number(message, error, attempt)) || storageFailure(code, message, error)
  }

  #codeOf(error: unknown): string | undefined {
    return error instanceof RemoteError ? error.sqliteCode : this.#driver.codeOf(error)
  }

  /** Numbers that became too large, by what SQLite says of them. */
  #number(message: string, error: unknown, { statement }: Attempt): HoldfastError | undefined {
    const overflows = message.includes('integer overflow') || message.includes('malformed JSON')
    // Integers are kept in range by a check that has a name, long before 64 bits overflow.
    return overflows ? outOfRange(statement, this.#models, false, error) : undefined
  }

  #constraint(code: string, message: string, error: unknown, attempt: Attempt | undefined): HoldfastError {
    const subject = message.slice(message.indexOf(': ') + 2)
    switch (code) {
      case 'SQLITE_CONSTRAINT_UNIQUE':
      case 'SQLITE_CONSTRAINT_PRIMARYKEY':
      case 'SQLITE_CONSTRAINT_ROWID':
        return this.#unique(this.#uniqueName(subject), error, attempt)
      case 'SQLITE_CONSTRAINT_CHECK':
        return checkViolation(this.#models, subject, error)
      case 'SQLITE_CONSTRAINT_NOTNULL':
      case 'SQLITE_CONSTRAINT_DATATYPE': {
        const kind = code === 'SQLITE_CONSTRAINT_NOTNULL' ? 'CONSTRAINT_NOT_NULL' : 'CONSTRAINT_CHECK'
        return columnViolation(kind, this.#models, ...this.#columnIn(message), error)
      }
      default:
        return this.#foreignKey(error, attempt)
    }
  }

  /** SQLite checks primary keys that are not its rowid last; who inserts expects to hear of a key that is taken first. */
  #unique(constraint: string, error: unknown, attempt: Attempt | undefined): HoldfastError {
    const key = attempt !== undefined && isKeyTaken(attempt, this.#models) && this.#models.get(attempt.statement.model)
    return uniqueViolation(this.#models, key ? primaryKeyName(key) : constraint, error)
  }

  /** SQLite names the columns of a unique index, `users.email, users.tenant`, or the index where it has expressions. */
  #uniqueName(subject: string): string {
    const index = /^index '(.*)'$/.exec(subject)?.[1]
    if (index !== undefined) return index
    for (const model of this.#models.values()) {
      const columns = (names: readonly string[]): string =>
        names.map((name) => `${model.table}.${model.byName.get(name)?.column}`).join(', ')
      if (columns(model.primaryKey) === subject) return primaryKeyName(model)
      const unique = model.indexes.find(({ fields }) => columns(fields.map(({ column }) => column)) === subject)
      if (unique !== undefined) return unique.name
    }
    return subject
  }

  /** The table and the column at the end of a message. */
  #columnIn(message: string): [string, string] {
    for (const { table, columns } of this.#models.values()) {
      const named = columns.find(({ column }) => message.endsWith(` ${table}.${column}`))
      if (named !== undefined) return [table, named.column]
    }
    const [table = '', column = ''] = message.slice(message.lastIndexOf(' ') + 1).split('.')
    return [table, column]
  }

  /** SQLite does not say which foreign key was broken. The statement had no effect, so the data can be asked. */
  #foreignKey(error: unknown, attempt: Attempt | undefined): ConstraintError {
    if (attempt === undefined) return new ConstraintError('CONSTRAINT_FOREIGN_KEY', 'a table', [], error)
    const { parameters, database } = attempt
    const statement = cameTo(attempt, this.#models)
    for (const { text, bindings, model, field } of referenceQuestions(
      statement,
      this.#models,
      sqliteDialect,
      rowsIn(attempt),
    )) {
      const ask = database.prepareRead(text)
      if (bindings.some((bound) => ask.get(...bindAll(bound, parameters)) !== undefined)) {
        return new ConstraintError('CONSTRAINT_FOREIGN_KEY', model, [field], error)
      }
    }
    return new ConstraintError('CONSTRAINT_FOREIGN_KEY', (this.#models.get(statement.model) as Model).name, [], error)
  }
}

function storageFailure(code: string, message: string, cause: unknown): HoldfastError {
  const is = (...names: readonly string[]): boolean =>
    names.some((name) => code === name || code.startsWith(`${name}_`))
  if (is('SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL')) {
    return new SerializationError('Another connection kept the database locked.', cause)
  }
  if (is('SQLITE_READONLY')) {
    return new StorageError('READ_ONLY', 'The database can only be read.', {
      hint: 'Check the permissions of the file and of its folder, or open it without readOnly.',
      cause,
    })
  }
  if (is('SQLITE_CORRUPT', 'SQLITE_NOTADB')) {
    return new StorageError('CORRUPT', 'The file is damaged, or is not a SQLite database.', {
      hint: 'Restore a backup; do not go on writing to this file.',
      cause,
    })
  }
  if (is('SQLITE_FULL')) {
    return new StorageError('DISK_FULL', 'The disk is full; nothing of this call was stored.', {
      hint: 'Make room and call again.',
      cause,
    })
  }
  if (is('SQLITE_CANTOPEN')) {
    return new ConfigurationError('The database file cannot be opened.', {
      hint: 'Check that its folder exists and may be written to.',
      cause,
    })
  }
  return new StorageError('DRIVER', `SQLite failed: ${message}.`, {
    hint: 'See `cause` for what the driver reported.',
    cause,
  })
}

/** What every call on a closed backend fails with. */
export function isClosed(): ConnectionError {
  return new ConnectionError('The SQLite backend is closed.', {
    code: 'CLOSED',
    hint: 'Open the storage again, or close it later.',
    retryable: false,
  })
}
