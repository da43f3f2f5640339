import type { Model } from '../schema/index.ts'
import { ledgerModel } from './ledger.ts'
import { lockModel } from './lock.ts'

export { checkMigrations } from './check.ts'
export type { CopyProgress } from './copy-rows.ts'
export { fitTables } from './fit.ts'
export {
  generateMigration,
  readRenames,
  renameQuestions,
  renderMigration,
} from './generate.ts'
export type { Introspection } from './introspect/introspect.ts'
export { loadMigrations } from './load.ts'
export type { Migration } from './migration.ts'
export { type ApplyOptions, type MigrationRun, Migrations, type RollbackOptions } from './migrations.ts'
export type { MigrationProgress } from './prepare.ts'
export { type MigrationPlan, planFor } from './preview.ts'
export { type ConcurrencyOptions, MigrationSteps } from './recorder.ts'
export type { Rehearsal } from './rehearse.ts'
export type { Warning } from './safety.ts'
export { squashMigrations } from './squash.ts'
export type { MigrationStatus } from './status.ts'
export type { DataStep, DialectSql, RowChange, StepReference } from './step.ts'
export type { Verification } from './verify.ts'

/** The tables of migrations. */
export const migrationModels: readonly Model[] = [ledgerModel, lockModel]
