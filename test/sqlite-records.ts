import { defineSchema, type Schema, t, table } from '../packages/holdfast/src/schema/index.ts'

/** What the processes of a test write: who wrote which number. */
export const recordsSchema: Schema = defineSchema({
  records: table({ id: t.integer().primaryKey().generated(), name: t.text(), number: t.integer() }),
})
