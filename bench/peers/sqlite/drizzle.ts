import { and, eq, gt, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { index, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Item } from '../../items.ts'
import { type ItemStore, StaleVersion, type Target } from '../store.ts'
import { ITEMS_TABLE, openDatabase } from './table.ts'

const items = sqliteTable(
  'items',
  {
    id: integer().primaryKey(),
    groupId: integer('group_id').notNull(),
    name: text().notNull(),
    email: text().notNull(),
    active: integer({ mode: 'boolean' }).notNull(),
    score: real().notNull(),
    createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
    version: integer().notNull().default(1),
  },
  (table) => [index('items_group_id').on(table.groupId)],
)

/** A statement binds at most 32,766 values, and Drizzle binds all columns. */
const ROWS_A_STATEMENT = 4_000

const { placeholder } = sql

/** Drizzle on better-sqlite3, with its prepared statements wherever the statement is always the same. */
export async function open(target: Target): Promise<ItemStore> {
  const database = openDatabase(target)
  database.exec(ITEMS_TABLE)
  const db = drizzle({ client: database })
  const byId = db
    .select()
    .from(items)
    .where(eq(items.id, placeholder('id')))
    .prepare()
  const byGroup = db
    .select()
    .from(items)
    .where(eq(items.groupId, placeholder('groupId')))
    .orderBy(items.id)
    .prepare()
  const insertOne = db
    .insert(items)
    .values({
      groupId: placeholder('groupId'),
      name: placeholder('name'),
      email: placeholder('email'),
      active: placeholder('active'),
      score: placeholder('score'),
      createdAt: placeholder('createdAt'),
    })
    .returning()
    .prepare()
  // `set` takes a placeholder only inside SQL, which its types then accept.
  const updateOne = db
    .update(items)
    .set({
      name: sql`${placeholder('name')}`,
      score: sql`${placeholder('score')}`,
      version: sql`${items.version} + 1`,
    })
    .where(and(eq(items.id, placeholder('id')), eq(items.version, placeholder('version'))))
    .returning()
    .prepare()
  const setScore = db
    .update(items)
    .set({ score: sql`${placeholder('score')}`, version: sql`${items.version} + 1` })
    .where(eq(items.id, placeholder('id')))
    .prepare()
  const deleteOne = db
    .delete(items)
    .where(eq(items.id, placeholder('id')))
    .prepare()
  return {
    getById: async (id) => byId.get({ id }) ?? null,
    findByGroup: async (groupId) => byGroup.all({ groupId }),
    insert: async (item) => insertOne.get({ ...item }),
    async update(id, version, { name, score }) {
      const row = updateOne.get({ id, version, name, score })
      if (row === undefined) throw new StaleVersion()
      return row
    },
    async insertMany(all) {
      return db.transaction((tx) => {
        const made: Item[] = []
        for (let start = 0; start < all.length; start += ROWS_A_STATEMENT) {
          const chunk = all.slice(start, start + ROWS_A_STATEMENT)
          const ids = tx.insert(items).values(chunk).returning({ id: items.id }).all()
          for (const [at, item] of chunk.entries()) made.push({ id: ids[at]!.id, ...item, version: 1 })
        }
        return made
      })
    },
    async threeWrites(item, changedId, score, deletedId) {
      // better-sqlite3 has one connection, so statements prepared outside run inside the transaction.
      return db.transaction(
        () => {
          const { id } = insertOne.get({ ...item })
          setScore.run({ id: changedId, score })
          deleteOne.run({ id: deletedId })
          return id
        },
        { behavior: 'immediate' },
      )
    },
    async removeAbove(id) {
      db.delete(items).where(gt(items.id, id)).run()
    },
    async close() {
      database.close()
    },
  }
}
