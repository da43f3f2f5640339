import type { Result } from '../../backend/index.ts'
import { ChangePlan } from './change-plan.ts'
import type { SqliteConnection } from './connection.ts'
import { DeletionOfKeys } from './deletion-of-keys.ts'
import type { WritePlan } from './prepare.ts'

/** Runs a write inside a transaction, which is undone if it fails: by itself it might have done a part. */
export function runWithin(plan: WritePlan, connection: SqliteConnection, parameters: readonly unknown[]): Result {
  return plan instanceof ChangePlan ? plan.runInTransaction(connection, parameters) : plan.run(connection, parameters)
}

/** Runs a write inside a transaction that goes on if it fails: whole or not at all, also where it takes several statements. */
export function runWhole(plan: WritePlan, connection: SqliteConnection, parameters: readonly unknown[]): Result {
  if (!plan.takesSeveral(parameters)) return runWithin(plan, connection, parameters)
  const { database } = connection
  database.exec('savepoint unit')
  try {
    const result = plan.run(connection, parameters)
    database.exec('release unit')
    return result
  } catch (error) {
    if (database.inTransaction) database.exec('rollback to unit; release unit')
    throw error
  }
}

/** Runs a write outside a transaction: one statement commits by itself, several need a transaction of their own. */
export function runAlone(plan: WritePlan, connection: SqliteConnection, parameters: readonly unknown[]): Result {
  const { statement } = plan
  if (statement.kind === 'update' && statement.unsynced === true)
    return connection.unsynced(() => plan.run(connection, parameters))
  if (!plan.takesSeveral(parameters)) return plan.run(connection, parameters)
  try {
    if (plan instanceof DeletionOfKeys) return plan.runAlone(connection, parameters)
    if (statement.kind === 'insert') connection.beginSmallStatements()
    else connection.begin()
    const result = plan.run(connection, parameters)
    connection.commit()
    return result
  } catch (error) {
    connection.rollback()
    throw error
  }
}
