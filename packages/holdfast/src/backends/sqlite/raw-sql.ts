import type { Result } from '../../backend/index.ts'
import { ConfigurationError } from '../../base/errors.ts'
import type { Database } from './driver.ts'

const TRANSACTION_STATEMENT = /^\s*(begin|commit|end|rollback|savepoint|release)\b/i

/**
 * Runs one statement as it stands.
 *
 * @throws ConfigurationError, code `TRANSACTION_MISUSE`, for one that begins or ends a transaction: others use the connection too.
 */
export function runSql(database: Database, text: string, parameters: readonly unknown[]): Result {
  if (TRANSACTION_STATEMENT.test(text)) throw misuse()
  const { inTransaction } = database
  const { rows, changes } = database.query(text, parameters)
  if (database.inTransaction === inTransaction) return { rows, count: rows.length > 0 ? rows.length : changes }
  // It was hidden behind a comment.
  if (database.inTransaction) database.exec('rollback')
  throw misuse()
}

/**
 * Runs statements as they stand, inside a transaction.
 *
 * @throws ConfigurationError, code `TRANSACTION_MISUSE`, when the transaction has ended after them.
 */
export function runTexts(database: Database, text: string): void {
  database.exec(text)
  if (!database.inTransaction) throw misuse()
}

function misuse(): ConfigurationError {
  return new ConfigurationError('SQL text cannot begin or end a transaction.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Use storage.transaction(async (tx) => { await tx.sql … }).',
  })
}
