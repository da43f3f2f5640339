import { scatteredId, seededItem } from '../items.ts'
import { assertItems, type Task } from './task.ts'

/** Reads one record by its primary key. */
export const getById: Task = {
  describe: 'Reads one of 10,000 items by its primary key, another one each time.',
  async check(store) {
    assertItems([await store.getById(3), await store.getById(-1)], [seededItem(3), null])
  },
  start: (store) => (n) => store.getById(scatteredId(n)),
}
