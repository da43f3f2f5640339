import { type Generated, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import type { Item, NewItem } from '../../items.ts'
import { type ItemStore, POOL_SIZE, StaleVersion, type Target } from '../store.ts'
import { createTable } from './table.ts'

interface Tables {
  items: {
    id: Generated<number>
    group_id: number
    name: string
    email: string
    active: boolean
    score: number
    created_at: Date
    version: Generated<number>
  }
}

const COLUMNS = [
  'id',
  'group_id as groupId',
  'name',
  'email',
  'active',
  'score',
  'created_at as createdAt',
  'version',
] as const

/** A statement binds at most 65,535 values. */
const ROWS_A_STATEMENT = 10_000

/** Kysely on `pg`. */
export async function open(target: Target): Promise<ItemStore> {
  await createTable(target)
  const pool = new pg.Pool({ connectionString: target.url, max: POOL_SIZE })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return {
    async getById(id) {
      return (await db.selectFrom('items').select(COLUMNS).where('id', '=', id).executeTakeFirst()) ?? null
    },
    findByGroup: (groupId) =>
      db.selectFrom('items').select(COLUMNS).where('group_id', '=', groupId).orderBy('id').execute(),
    async insert(item) {
      const { id } = await db.insertInto('items').values(toRow(item)).returning('id').executeTakeFirstOrThrow()
      return { id, ...item, version: 1 }
    },
    async update(id, version, change) {
      const item = await db
        .updateTable('items')
        .set({ ...change, version: sql`version + 1` })
        .where('id', '=', id)
        .where('version', '=', version)
        .returning(COLUMNS)
        .executeTakeFirst()
      if (item === undefined) throw new StaleVersion()
      return item
    },
    async insertMany(items) {
      const made: Item[] = []
      await db.transaction().execute(async (tx) => {
        for (let start = 0; start < items.length; start += ROWS_A_STATEMENT) {
          const chunk = items.slice(start, start + ROWS_A_STATEMENT)
          const ids = await tx.insertInto('items').values(chunk.map(toRow)).returning('id').execute()
          for (const [index, item] of chunk.entries()) made.push({ id: ids[index]!.id, ...item, version: 1 })
        }
      })
      return made
    },
    async threeWrites(item, changedId, score, deletedId) {
      return db.transaction().execute(async (tx) => {
        const { id } = await tx.insertInto('items').values(toRow(item)).returning('id').executeTakeFirstOrThrow()
        await tx.updateTable('items').set({ score, version: sql`version + 1` }).where('id', '=', changedId).execute()
        await tx.deleteFrom('items').where('id', '=', deletedId).execute()
        return id
      })
    },
    async removeAbove(id) {
      await db.deleteFrom('items').where('id', '>', id).execute()
    },
    close: () => db.destroy(),
  }
}

function toRow({ groupId, name, email, active, score, createdAt }: NewItem) {
  return { group_id: groupId, name, email, active, score, created_at: createdAt }
}
