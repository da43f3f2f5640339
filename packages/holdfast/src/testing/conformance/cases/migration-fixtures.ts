import type { Migration } from '../../../migrations/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import type { ConformanceCase } from '../case.ts'

export const first = defineSchema({
  users: table({ id: t.integer().primaryKey().generated(), name: t.text() }),
  notes: table({ id: t.integer().primaryKey(), userId: t.integer().references('users', { onDelete: 'cascade' }) }),
})

export const create: Migration = {
  name: '1_create',
  up(m) {
    m.createTable('users', { id: t.integer().primaryKey().generated(), name: t.text() })
    m.createTable('notes', {
      id: t.integer().primaryKey(),
      userId: t.integer().references('users', { onDelete: 'cascade' }),
    })
  },
  down(m) {
    m.dropTable('notes')
    m.dropTable('users')
  },
}

export const addAge: Migration = {
  name: '2_add_age',
  up: (m) => m.addColumn('users', 'age', t.integer().check({ gte: 0 }), { fill: 7 }),
  down: (m) => m.dropColumn('users', 'age'),
}

export type Context = Parameters<ConformanceCase['run']>[0]

export const open = (context: Context, migrations: readonly Migration[] = [create]) =>
  context.open(first, { migrations, autoCreate: false, autoMigrate: true })

/** A storage on a database that has nothing. */
export const openEmpty = (context: Context) => context.open(defineSchema({}), { autoCreate: false })

/** Two users, of whom the first was created, deleted and created anew, and three notes. */
export async function fill(storage: Awaited<ReturnType<typeof open>>): Promise<void> {
  await storage.repository('users').createMany([{ name: 'kim' }, { name: 'lee' }, { name: 'max' }])
  await storage.repository('users').delete(3)
  await storage.repository('notes').createMany([1, 2, 3].map((id) => ({ id, userId: (id % 2) + 1 })))
}

export const users = [
  { id: 1, name: 'kim' },
  { id: 2, name: 'lee' },
]
