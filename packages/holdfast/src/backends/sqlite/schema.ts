import type { ExistingTable, SchemaChange } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import { existingTables, schemaSteps, sqliteDialect } from '../sql/index.ts'
import { alterStatements, alterTable, REBUILT } from './alter-table.ts'
import type { SqliteConnection } from './connection.ts'
import { runTexts } from './raw-sql.ts'

/**
 * Makes changes of the schema on a connection that is in a transaction.
 *
 * @param translate gives the error to raise for one that came of tables of these models.
 */
export function applyChanges(
  { database }: SqliteConnection,
  changes: readonly SchemaChange[],
  models: Models,
  translate: (error: unknown, models: Models) => unknown,
): void {
  const names = database.prepareRead(`select name from sqlite_schema where type = 'table'`).all() as [string][]
  const existing = new Set(names.map(([name]) => name))
  for (const step of schemaSteps(changes, existing, models, sqliteDialect)) {
    try {
      if (typeof step === 'string') database.exec(step)
      else if (step.kind === 'alterTable') alterTable(database, step, models)
      else runTexts(database, step.text)
    } catch (error) {
      throw translate(error, typeof step === 'object' && step.kind === 'alterTable' ? beside(models, step.to) : models)
    }
  }
}

/** The models, and that of a table while it is built anew. */
function beside(models: Models, model: Model): Models {
  return new Map([...models, [REBUILT, { ...model, table: REBUILT }]])
}

/** What `applyChanges` runs on a database that has none of what is made. */
export function changeStatements(changes: readonly SchemaChange[], models: Models): string[] {
  return schemaSteps(changes, new Set(), models, sqliteDialect).flatMap((step) => {
    if (typeof step === 'string') return [step]
    return step.kind === 'sql' ? [step.text] : alterStatements(step, models)
  })
}

/** The tables that exist. */
export function inspectTables({ database }: SqliteConnection): ExistingTable[] {
  const { columns, indexes } = sqliteDialect.ddl.inspection
  return existingTables(
    database.prepareRead(columns).all() as unknown[][],
    database.prepareRead(indexes).all() as unknown[][],
  )
}
