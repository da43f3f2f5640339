import { defineSchema, queue, t, table } from '../../packages/holdfast/src/index.ts'

const row = { id: t.text().primaryKey() }

/** What processes write that are killed: `left`, `right` and a job together, `alone` by itself; a worker adds to `counters`,
 * who watches sees `watched`. */
export const crashSchema = defineSchema({
  left: table(row),
  right: table(row),
  alone: table(row),
  watched: table(row, { watch: true }),
  counters: table({ id: t.text().primaryKey(), n: t.integer().default(0) }),
  limited: queue<{ id: string }>({ groupRate: { max: 5, perMs: 3_600_000 }, groupConcurrency: 100 }),
  work: queue<{ id: string }>({ maxAttempts: 1_000, backoff: { firstMs: 10, longestMs: 50 } }),
})
