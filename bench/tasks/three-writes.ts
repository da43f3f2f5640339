import { newItem, SEEDED, scatteredId, seededItem } from '../items.ts'
import { assertItems, type Task } from './task.ts'

/** A transaction of three writes. */
export const threeWrites: Task = {
  describe:
    'One transaction that inserts an item, changes the score of another by its id, and deletes the one that the transaction ' +
    'before inserted. Of the three only the id of the new item is needed.',
  async check(store) {
    const doomed = await store.insert(newItem(1))
    const id = await store.threeWrites(newItem(4), 8, 77, doomed.id)
    const found = [await store.getById(id), await store.getById(8), await store.getById(doomed.id)]
    assertItems(found, [{ ...seededItem(4), id }, { ...seededItem(8), score: 77, version: 2 }, null])
  },
  start: (store) => {
    let previous = 0
    return async (n) => {
      previous = await store.threeWrites(newItem(SEEDED + n), scatteredId(n), n, previous)
    }
  },
}
