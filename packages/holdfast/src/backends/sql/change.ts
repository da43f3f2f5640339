import type { AlterTable, SchemaChange } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import type { Dialect } from './dialect.ts'
import { type CreatingChange, creatingStatements } from './tables.ts'

/** What stands between one statement and the next that needs more than its text: a table to alter. */
export type SchemaStep = string | AlterTable

/**
 * The statements that make changes, in order, and between them the tables to alter, which each database does in its own way.
 *
 * @param existing the names of the tables that are there; those are not created again.
 */
export function schemaSteps(
  changes: readonly SchemaChange[],
  existing: ReadonlySet<string>,
  models: Models,
  dialect: Dialect,
): SchemaStep[] {
  const present = new Set(existing)
  const steps: SchemaStep[] = []
  let creating: CreatingChange[] = []
  const create = (): void => {
    steps.push(...creatingStatements(creating, present, models, dialect))
    creating = []
  }
  for (const change of changes) {
    if (change.kind === 'createTable' || change.kind === 'createIndex') {
      creating.push(change)
      continue
    }
    create()
    if (change.kind === 'sql') steps.push(change.text)
    else if (change.kind === 'alterTable') {
      steps.push(change)
      present.delete(change.from.table)
      present.add(change.to.table)
    } else {
      steps.push(dialect.builder.schema.dropTable(change.table).compile().sql)
      present.delete(change.table)
    }
  }
  create()
  return steps
}
