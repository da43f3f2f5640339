import { DatabaseSync } from 'node:sqlite'
import type { ItemStore, Target } from '../store.ts'
import { type Driver, prepareStatements } from './statements.ts'
import { ITEMS_TABLE, synchronous } from './table.ts'

/** Node's own SQLite with prepared statements behind async functions. */
export async function open(target: Target): Promise<ItemStore> {
  const database = new DatabaseSync(target.url)
  database.exec('pragma journal_mode = wal')
  database.exec(`pragma synchronous = ${synchronous(target)}`)
  database.exec(ITEMS_TABLE)
  const statements = prepareStatements(database as unknown as Driver)
  return {
    getById: async (id) => statements.getById(id),
    findByGroup: async (groupId) => statements.findByGroup(groupId),
    insert: async (item) => statements.insert(item),
    update: async (id, version, change) => statements.update(id, version, change),
    insertMany: async (items) => statements.insertMany(items),
    threeWrites: async (item, changedId, score, deletedId) => statements.threeWrites(item, changedId, score, deletedId),
    removeAbove: async (id) => statements.removeAbove(id),
    close: async () => database.close(),
  }
}
