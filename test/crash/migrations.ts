import { defineSchema, increment, type Migration, type Schema, t, table } from '../../packages/holdfast/src/index.ts'

/** Twelve migrations, each of which fails when it is applied a second time. */
export const migrations: readonly Migration[] = [
  {
    name: '00_users',
    up: (m) => m.createTable('users', { id: t.integer().primaryKey(), name: t.text() }),
    down: (m) => m.dropTable('users'),
  },
  ...Array.from({ length: 11 }, (_, at): Migration => {
    const column = `column${at + 1}`
    return {
      name: `${String(at + 1).padStart(2, '0')}_${column}`,
      up(m) {
        m.addColumn('users', column, t.integer().check({ gte: 0 }), { fill: at })
        m.createIndex('users', [column])
      },
      down: (m) => m.dropColumn('users', column),
    }
  }),
]

const counter = { id: t.integer().primaryKey(), n: t.integer() }

/** The table whose rows the next migration changes. */
export const counters: Migration = {
  name: '00_counters',
  up: (m) => m.createTable('counters', counter),
  down: (m) => m.dropTable('counters'),
}

export const counterSchema = defineSchema({ counters: table(counter) }) satisfies Schema

/** Counts every row up by one, ten at a time: a row that is changed twice shows it. */
export const countingUp: Migration = {
  name: '01_counting_up',
  up: (m) => m.data('counters', { set: { n: increment(1) }, batch: 10 }),
}
