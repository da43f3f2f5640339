import type { ItemStore, Target } from '../store.ts'
import { type Driver, prepareStatements } from './statements.ts'
import { ITEMS_TABLE, openDatabase } from './table.ts'

/** The same statements without promises, to show what those cost. */
export async function open(target: Target): Promise<ItemStore> {
  const database = openDatabase(target)
  database.exec(ITEMS_TABLE)
  return {
    ...prepareStatements(database as unknown as Driver),
    close: () => {
      database.close()
    },
  }
}
