import type { SchemaEditor, Traits } from '../backend/index.ts'
import { type Migration, readMigration } from './migration.ts'
import { type PlannedRun, planUp } from './plan.ts'
import { statementsOf } from './run.ts'
import { type Warning, warningsOf } from './safety.ts'

/** What applying a migration would do. */
export interface MigrationPlan {
  readonly name: string
  /** The SQL that would be run; none on backends without it. */
  readonly statements: readonly string[]
  readonly warnings: readonly Warning[]
}

/** What runs would do. */
export function previewOf(
  runs: readonly PlannedRun[],
  schema: Pick<SchemaEditor, 'statements'>,
  dialect: Traits['sql'],
): MigrationPlan[] {
  return runs.map(({ migration, before }) => ({
    name: migration.name,
    statements: statementsOf(migration, before, schema, dialect),
    warnings: warningsOf(before, migration.up),
  }))
}

/** What applying migrations to an empty database of a dialect would do. */
export function planFor(
  migrations: readonly Migration[],
  schema: Pick<SchemaEditor, 'statements'>,
  dialect: NonNullable<Traits['sql']>,
): MigrationPlan[] {
  return previewOf(planUp(migrations.map(readMigration), [], undefined), schema, dialect)
}
