import type { SchemaChange, SchemaEditor, Session } from '../backend/index.ts'
import type { Model, Models } from '../schema/index.ts'

/** A transaction that may change the schema. */
export interface AlteringSession extends Session {
  applySchema(changes: readonly SchemaChange[], models: Models): Promise<void>
}

/** What migrations need of the storage. */
export interface MigrationHost {
  readonly session: Session
  readonly schema: SchemaEditor
  /** Every model that the storage declares: those of its schema, and those that its features keep for it. */
  readonly declared: readonly Model[]
  /** Those of them that features keep: they belong to Holdfast, and no migration makes them. */
  readonly features: readonly Model[]
  /** Runs a transaction that may change the schema. */
  alter<T>(work: (session: AlteringSession) => Promise<T>): Promise<T>
}
