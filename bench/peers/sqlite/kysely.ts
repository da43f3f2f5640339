import { type Generated, Kysely, SqliteDialect, sql } from 'kysely'
import type { Item } from '../../items.ts'
import { type ItemStore, StaleVersion, type Target } from '../store.ts'
import { ITEMS_TABLE, type ItemRow, openDatabase, toItem } from './table.ts'

interface Tables {
  items: {
    id: Generated<number>
    group_id: number
    name: string
    email: string
    active: number
    score: number
    created_at: number
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

/** A statement binds at most 32,766 values. */
const ROWS_A_STATEMENT = 5_000

/** Kysely on better-sqlite3. Booleans and timestamps are encoded and decoded by hand: it has no types for them on SQLite. */
export async function open(target: Target): Promise<ItemStore> {
  const database = openDatabase(target)
  database.exec(ITEMS_TABLE)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  return {
    async getById(id) {
      const row = await db.selectFrom('items').select(COLUMNS).where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : toItem(row)
    },
    async findByGroup(groupId) {
      const rows = await db.selectFrom('items').select(COLUMNS).where('group_id', '=', groupId).orderBy('id').execute()
      return rows.map(toItem)
    },
    async insert(item) {
      const { insertId } = await db.insertInto('items').values(toRow(item)).executeTakeFirstOrThrow()
      return { id: Number(insertId), ...item, version: 1 }
    },
    async update(id, version, change) {
      const row: ItemRow | undefined = await db
        .updateTable('items')
        .set({ ...change, version: sql`version + 1` })
        .where('id', '=', id)
        .where('version', '=', version)
        .returning(COLUMNS)
        .executeTakeFirst()
      if (row === undefined) throw new StaleVersion()
      return toItem(row)
    },
    async insertMany(items) {
      return db.transaction().execute(async (tx) => {
        const made: Item[] = []
        for (let start = 0; start < items.length; start += ROWS_A_STATEMENT) {
          const chunk = items.slice(start, start + ROWS_A_STATEMENT)
          const ids = await tx.insertInto('items').values(chunk.map(toRow)).returning('id').execute()
          for (const [index, item] of chunk.entries()) made.push({ id: ids[index]!.id, ...item, version: 1 })
        }
        return made
      })
    },
    async threeWrites(item, changedId, score, deletedId) {
      return db.transaction().execute(async (tx) => {
        const { insertId } = await tx.insertInto('items').values(toRow(item)).executeTakeFirstOrThrow()
        await tx.updateTable('items').set({ score, version: sql`version + 1` }).where('id', '=', changedId).execute()
        await tx.deleteFrom('items').where('id', '=', deletedId).execute()
        return Number(insertId)
      })
    },
    async removeAbove(id) {
      await db.deleteFrom('items').where('id', '>', id).execute()
    },
    close: () => db.destroy(),
  }
}

function toRow({ groupId, name, email, active, score, createdAt }: Omit<Item, 'id' | 'version'>) {
  return { group_id: groupId, name, email, active: active ? 1 : 0, score, created_at: createdAt.getTime() }
}
