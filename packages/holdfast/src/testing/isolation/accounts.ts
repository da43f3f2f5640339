import { defineSchema, type Schema, type Table, t, table } from '../../index.ts'

/** The schema of the scenarios. */
export const accountsSchema: Schema<
  { accounts: Table<{ id: number; value: number }, { id: number; value: number }, number> },
  Record<never, never>
> = defineSchema({ accounts: table({ id: t.integer().primaryKey(), value: t.integer() }) })
