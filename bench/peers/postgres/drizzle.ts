import { and, eq, gt, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { boolean, doublePrecision, index, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import pg from 'pg'
import type { Item } from '../../items.ts'
import { type ItemStore, POOL_SIZE, StaleVersion, type Target } from '../store.ts'
import { createTable } from './table.ts'

const items = pgTable(
  'items',
  {
    id: integer().primaryKey().generatedByDefaultAsIdentity(),
    groupId: integer('group_id').notNull(),
    name: text().notNull(),
    email: text().notNull(),
    active: boolean().notNull(),
    score: doublePrecision().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    version: integer().notNull().default(1),
  },
  (table) => [index('items_group_id').on(table.groupId)],
)

/** A statement binds at most 65,535 values. */
const ROWS_A_STATEMENT = 10_000

const { placeholder } = sql

/** Drizzle on `pg`, with its prepared statements wherever the statement is always the same. */
export async function open(target: Target): Promise<ItemStore> {
  await createTable(target)
  const pool = new pg.Pool({ connectionString: target.url, max: POOL_SIZE })
  const db = drizzle({ client: pool })
  const byId = db
    .select()
    .from(items)
    .where(eq(items.id, placeholder('id')))
    .prepare('by_id')
  const byGroup = db
    .select()
    .from(items)
    .where(eq(items.groupId, placeholder('groupId')))
    .orderBy(items.id)
    .prepare('by_group')
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
    .returning({ id: items.id })
    .prepare('insert_one')
  const updateOne = db
    .update(items)
    .set({ name: sql`${placeholder('name')}`, score: sql`${placeholder('score')}`, version: sql`${items.version} + 1` })
    .where(and(eq(items.id, placeholder('id')), eq(items.version, placeholder('version'))))
    .returning()
    .prepare('update_one')
  return {
    getById: async (id) => (await byId.execute({ id }))[0] ?? null,
    findByGroup: (groupId) => byGroup.execute({ groupId }),
    async insert(item) {
      const [row] = await insertOne.execute({ ...item })
      return { id: row!.id, ...item, version: 1 }
    },
    async update(id, version, { name, score }) {
      const [row] = await updateOne.execute({ id, version, name, score })
      if (row === undefined) throw new StaleVersion()
      return row
    },
    async insertMany(all) {
      const made: Item[] = []
      await db.transaction(async (tx) => {
        for (let start = 0; start < all.length; start += ROWS_A_STATEMENT) {
          const chunk = all.slice(start, start + ROWS_A_STATEMENT)
          const ids = await tx.insert(items).values(chunk).returning({ id: items.id })
          for (const [at, item] of chunk.entries()) made.push({ id: ids[at]!.id, ...item, version: 1 })
        }
      })
      return made
    },
    async threeWrites(item, changedId, score, deletedId) {
      // Statements prepared outside belong to the pool, so these are built inside.
      return db.transaction(async (tx) => {
        const [row] = await tx.insert(items).values(item).returning({ id: items.id })
        await tx
          .update(items)
          .set({ score, version: sql`${items.version} + 1` })
          .where(eq(items.id, changedId))
        await tx.delete(items).where(eq(items.id, deletedId))
        return row!.id
      })
    },
    async removeAbove(id) {
      await db.delete(items).where(gt(items.id, id))
    },
    close: () => pool.end(),
  }
}
