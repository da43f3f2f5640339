import { GROUP_SIZE, SEEDED, seededItem } from '../items.ts'
import { assertItems, type Task } from './task.ts'

const GROUPS = SEEDED / GROUP_SIZE

/** Reads fifty records by an indexed column. */
export const findByIndex: Task = {
  describe: 'Reads the 50 items of a group through the index on the group, ordered by id.',
  async check(store) {
    const first = 7 * GROUP_SIZE + 1
    const expected = Array.from({ length: GROUP_SIZE }, (_, index) => seededItem(first + index))
    assertItems(await store.findByGroup(7), expected)
  },
  start: (store) => (n) => store.findByGroup((n * 73) % GROUPS),
}
