import { type NewItem, newItem } from '../items.ts'
import { assertItems, type Task } from './task.ts'

const ROWS = 10_000

/** Inserts ten thousand records, all or none. */
export const bulkInsert: Task = {
  describe: 'Inserts 10,000 items, all or none, and gives them back with their ids. The items are made beforehand.',
  async check(store) {
    const made = await store.insertMany([newItem(1), newItem(2)])
    const expected = made.map(({ id }, index) => ({ id, ...newItem(index + 1), version: 1 }))
    assertItems(made, expected)
    assertItems([await store.getById(made[0]!.id), await store.getById(made[1]!.id)], expected)
  },
  start: (store) => {
    const items: NewItem[] = Array.from({ length: ROWS }, (_, index) => newItem(index + 1))
    return () => store.insertMany(items)
  },
}
