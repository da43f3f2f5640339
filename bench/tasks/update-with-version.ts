import assert from 'node:assert/strict'
import { newItem, SEEDED, scatteredId, seededItem } from '../items.ts'
import { assertItems, type Task } from './task.ts'

/** Changes one record unless somebody else did since it was read. */
export const updateWithVersion: Task = {
  describe:
    'Changes two fields of an item that still has the version it was read with, and gives the item as it is then. ' +
    'Each item is changed in turn, so the version is always right; that a wrong one fails is checked first.',
  async check(store) {
    const { id } = await store.insert(newItem(9))
    const change = { name: 'changed', score: 0.5 }
    const changed = { ...seededItem(9), id, ...change, version: 2 }
    assertItems([await store.update(id, 1, change), await store.getById(id)], [changed, changed])
    await assert.rejects(async () => store.update(id, 1, { name: 'again', score: 1 }))
    assertItems([await store.getById(id)], [changed])
  },
  start: (store) => {
    const versions = new Uint32Array(SEEDED + 1).fill(1)
    return (n) => {
      const id = scatteredId(n)
      return store.update(id, versions[id]!++, { name: `Item ${id} as of ${n}`, score: n })
    }
  },
}
