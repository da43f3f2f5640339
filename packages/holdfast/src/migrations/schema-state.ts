import type { Documents, Table } from '../schema/index.ts'

/** The tables that migrations have made so far, as they would be declared, and the views. It never changes. */
export interface SchemaState {
  readonly tables: ReadonlyMap<string, Table | Documents>
  readonly views: ReadonlyMap<string, unknown>
}

/** What there is before the first migration. */
export const NOTHING: SchemaState = { tables: new Map(), views: new Map() }
