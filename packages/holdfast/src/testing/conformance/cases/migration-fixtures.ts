import type { Migration, Migrations } from '../../../migrations/index.ts'
import type { Repository } from '../../../repository/index.ts'
import { defineSchema, type Schema, t, table } from '../../../schema/index.ts'
import type { ConformanceCase } from '../case.ts'

/** Users and their notes. */
export const first: Schema = defineSchema({
  users: table({ id: t.integer().primaryKey().generated(), name: t.text() }),
  notes: table({ id: t.integer().primaryKey(), userId: t.integer().references('users', { onDelete: 'cascade' }) }),
})

/** Makes those tables. */
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

/** Adds a required column. */
export const addAge: Migration = {
  name: '2_add_age',
  up: (m) => m.addColumn('users', 'age', t.integer().check({ gte: 0 }), { fill: 7 }),
  down: (m) => m.dropColumn('users', 'age'),
}

type Context = Parameters<ConformanceCase['run']>[0]

/** A storage of users and their notes, whose columns come and go. */
export interface UserStorage {
  // biome-ignore lint/suspicious/noExplicitAny: the columns come and go.
  repository(name: string): Repository<any, any, any, any, any>
  readonly migrations: Migrations
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly sql: any
  close(): Promise<void>
}

/** A storage with these migrations applied. */
export function open(context: Context, migrations: readonly Migration[] = [create]): Promise<UserStorage> {
  return context.open(first, { migrations, autoCreate: false, autoMigrate: true }) as Promise<UserStorage>
}

/** A storage on a database that has nothing. */
export function openEmpty(context: Context): Promise<UserStorage> {
  return context.open(defineSchema({}), { autoCreate: false }) as unknown as Promise<UserStorage>
}

/** Two users, of whom the first was created, deleted and created anew, and three notes. */
export async function fill(storage: UserStorage): Promise<void> {
  await storage.repository('users').createMany([{ name: 'kim' }, { name: 'lee' }, { name: 'max' }])
  await storage.repository('users').delete(3)
  await storage.repository('notes').createMany([1, 2, 3].map((id) => ({ id, userId: (id % 2) + 1 })))
}

/** The users that are left. */
export const users: readonly { readonly id: number; readonly name: string }[] = [
  { id: 1, name: 'kim' },
  { id: 2, name: 'lee' },
]
