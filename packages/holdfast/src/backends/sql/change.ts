import type { AlterTable, SchemaChange } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import type { Dialect } from './dialect.ts'
import { type CreatingChange, creatingStatements } from './tables.ts'

/** SQL as somebody wrote it; it may be several statements. */
type SqlChange = Extract<SchemaChange, { kind: 'sql' }>

/** A statement, or what each database does in its own way. */
export type SchemaStep = string | AlterTable | SqlChange

/**
 * The statements that make changes, in order, and between them what each database does in its own way.
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
    if (change.kind === 'sql') steps.push(change)
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
