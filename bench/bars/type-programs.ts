/** Programs of the same size and content for the type checker: sixty tables, and a query on each of them. */

const TABLES = 60

/** What a query is, by the number of its table. */
const KINDS = ['find', 'aggregate', 'insert', 'update'] as const

/** A program's text, which is checked but never run. */
export type ProgramWriter = () => string

function forEachTable(write: (table: number, next: number) => string): string {
  return Array.from({ length: TABLES }, (_, table) => write(table, (table + 1) % TABLES)).join('\n')
}

function queries(write: Record<(typeof KINDS)[number], (table: number, next: number) => string>): string {
  const functions = forEachTable((table, next) => {
    const kind = KINDS[table % KINDS.length] as (typeof KINDS)[number]
    return `export async function query${table}() {\n${write[kind](table, next)}\n}`
  })
  return functions
}

/** Holdfast: a schema, and repositories. */
export const holdfastProgram: ProgramWriter = () => `
import { count, defineSchema, type Storage, sum, t, table } from 'holdfast'
const schema = defineSchema({
${forEachTable(
  (table, next) => `  table${table}: table({
    id: t.integer().primaryKey().generated(),
    name: t.text().unique(),
    note${table}: t.text().nullable(),
    turns: t.integer().default(0),
    cost: t.real().default(0),
    active: t.boolean().default(false),
    createdAt: t.timestamp().defaultNow(),
    nextId: t.integer().references('table${next}'),
  }, { indexes: ['name', ['turns', 'createdAt']] }),`,
)}
}, ({ one }) => ({
${forEachTable((table, next) => `  table${table}: { next: one('table${next}', 'nextId') },`)}
}))
declare const storage: Storage<typeof schema>
${queries({
  find: (table) => `  const rows = await storage.repository('table${table}').find({
    where: { name: { startsWith: 'a' }, turns: { gt: 1 }, or: [{ active: true }, { note${table}: null }] },
    orderBy: { createdAt: 'desc' }, limit: 5, select: ['id', 'name'], include: { next: { select: ['cost'] } },
  })
  return rows.map((row) => row.id + row.name.length + (row.next?.cost ?? 0))`,
  aggregate: (table) => `  const rows = await storage.repository('table${table}').aggregate({
    where: { active: true }, groupBy: { name: 'name' }, select: { n: count(), total: sum('cost') }, orderBy: { n: 'desc' },
  })
  return rows.map((row) => row.name.length + row.n + (row.total ?? 0))`,
  insert: (
    table,
  ) => `  const row = await storage.repository('table${table}').create({ name: 'a', nextId: 1, active: true })
  return row.id + row.createdAt.getTime()`,
  update: (table) => `  const row = await storage.repository('table${table}').update(1, { name: 'b', cost: 2 })
  return row.id + row.cost`,
})}
`

/** Kysely: interfaces of tables, and its builders. */
export const kyselyProgram: ProgramWriter = () => `
import type { Generated, Kysely } from 'kysely'
interface Tables {
${forEachTable(
  (table) => `  table${table}: {
    id: Generated<number>
    name: string
    note${table}: string | null
    turns: Generated<number>
    cost: Generated<number>
    active: Generated<boolean>
    createdAt: Generated<Date>
    nextId: number
  }`,
)}
}
declare const db: Kysely<Tables>
${queries({
  find: (table, next) => `  const rows = await db.selectFrom('table${table}')
    .innerJoin('table${next}', 'table${next}.id', 'table${table}.nextId')
    .where('table${table}.name', 'like', 'a%').where('table${table}.turns', '>', 1)
    .where((eb) => eb.or([eb('table${table}.active', '=', true), eb('table${table}.note${table}', 'is', null)]))
    .orderBy('table${table}.createdAt', 'desc').limit(5)
    .select(['table${table}.id', 'table${table}.name', 'table${next}.cost']).execute()
  return rows.map((row) => row.id + row.name.length + row.cost)`,
  aggregate: (table) => `  const rows = await db.selectFrom('table${table}').where('active', '=', true).groupBy('name')
    .select((eb) => ['name', eb.fn.countAll<number>().as('n'), eb.fn.sum<number | null>('cost').as('total')])
    .orderBy('n', 'desc').execute()
  return rows.map((row) => row.name.length + row.n + (row.total ?? 0))`,
  insert: (table) => `  const row = await db.insertInto('table${table}').values({ name: 'a', nextId: 1, active: true })
    .returningAll().executeTakeFirstOrThrow()
  return row.id + row.createdAt.getTime()`,
  update: (
    table,
  ) => `  const row = await db.updateTable('table${table}').set({ name: 'b', cost: 2 }).where('id', '=', 1)
    .returningAll().executeTakeFirstOrThrow()
  return row.id + row.cost`,
})}
`

/** Drizzle: tables with relations, its builders, and its relational queries. */
export const drizzleProgram: ProgramWriter = () => `
import { and, count, desc, eq, gt, isNull, like, or, relations, sum } from 'drizzle-orm'
import { type AnyPgColumn, boolean, doublePrecision, index, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
${forEachTable(
  (table, next) => `const table${table} = pgTable('table${table}', {
  id: integer().primaryKey().generatedByDefaultAsIdentity(),
  name: text().notNull().unique(),
  note${table}: text(),
  turns: integer().notNull().default(0),
  cost: doublePrecision().notNull().default(0),
  active: boolean().notNull().default(false),
  createdAt: timestamp().notNull().defaultNow(),
  nextId: integer().notNull().references((): AnyPgColumn => table${next}.id),
}, (table) => [index().on(table.name), index().on(table.turns, table.createdAt)])
const table${table}Relations = relations(table${table}, ({ one }) => ({
  next: one(table${next}, { fields: [table${table}.nextId], references: [table${next}.id] }),
}))`,
)}
const schema = {
${forEachTable((table) => `  table${table}, table${table}Relations,`)}
}
declare const db: NodePgDatabase<typeof schema>
${queries({
  find: (table) => `  const rows = await db.query.table${table}.findMany({
    where: (row) => and(like(row.name, 'a%'), gt(row.turns, 1), or(eq(row.active, true), isNull(row.note${table}))),
    orderBy: (row) => desc(row.createdAt), limit: 5, columns: { id: true, name: true }, with: { next: { columns: { cost: true } } },
  })
  return rows.map((row) => row.id + row.name.length + row.next.cost)`,
  aggregate: (table) => `  const rows = await db
    .select({ name: table${table}.name, n: count(), total: sum(table${table}.cost).mapWith(Number) })
    .from(table${table}).where(eq(table${table}.active, true)).groupBy(table${table}.name).orderBy(desc(count()))
  return rows.map((row) => row.name.length + row.n + (row.total ?? 0))`,
  insert: (
    table,
  ) => `  const [row] = await db.insert(table${table}).values({ name: 'a', nextId: 1, active: true }).returning()
  return row!.id + row!.createdAt.getTime()`,
  update: (
    table,
  ) => `  const [row] = await db.update(table${table}).set({ name: 'b', cost: 2 }).where(eq(table${table}.id, 1)).returning()
  return row!.id + row!.cost`,
})}
`
