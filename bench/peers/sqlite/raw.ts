import type { ItemStore, Target } from '../store.ts'
import { type Driver, prepareStatements } from './statements.ts'
import { ITEMS_TABLE, openDatabase } from './table.ts'

/** better-sqlite3 with prepared statements behind async functions, like an application's data layer: the 1.00 of SQLite. */
export async function open(target: Target): Promise<ItemStore> {
  const database = openDatabase(target)
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
    close: async () => {
      database.close()
    },
  }
}
