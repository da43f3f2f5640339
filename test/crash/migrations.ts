import { type Migration, t } from '../../packages/holdfast/src/index.ts'

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
