import type { Result, SchemaChange, SchemaEditor, Session } from '../backend/index.ts'
import type { Model, Models } from '../schema/index.ts'

/** A transaction that may change the schema. */
export interface AlteringSession extends Session {
  applySchema(changes: readonly SchemaChange[], models: Models): Promise<void>
  /** Runs `work` in a savepoint: what fails in it is undone alone. */
  runNested<T>(work: (session: AlteringSession) => Promise<T>): Promise<T>
  /** Runs SQL as it stands; on backends that run it. */
  sql(text: string, parameters: readonly unknown[]): Promise<Result>
}

/** What migrations need of the storage. */
export interface MigrationHost {
  readonly session: Session
  readonly schema: SchemaEditor
  /** Every model that the storage declares: those of its schema, and those that its features keep for it. */
  readonly declared: readonly Model[]
  /** Those of them that features keep: they belong to Holdfast, and no migration makes them. */
  readonly features: readonly Model[]
  /** Makes a model known to the backend for as long as `work` takes. */
  withModel<T>(model: Model, work: () => Promise<T>): Promise<T>
  /** Runs a transaction that may change the schema. */
  alter<T>(work: (session: AlteringSession) => Promise<T>): Promise<T>
}
