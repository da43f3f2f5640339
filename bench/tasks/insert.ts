import { newItem, SEEDED } from '../items.ts'
import { assertItems, type Task } from './task.ts'

/** Inserts one record in a commit of its own. */
export const insert: Task = {
  describe:
    'Inserts one item, which is committed when the call returns, and gives it back with the id the database made.',
  async check(store) {
    const made = await store.insert(newItem(5))
    assertItems([made, await store.getById(made.id)], Array(2).fill({ id: made.id, ...newItem(5), version: 1 }))
  },
  start: (store) => (n) => store.insert(newItem(SEEDED + n)),
}
