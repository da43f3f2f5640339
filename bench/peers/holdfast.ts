import { defineSchema, type Storage, t, table } from 'holdfast'
import type { ItemStore } from './store.ts'

/** The table of the items. */
export const schema = defineSchema({
  items: table(
    {
      id: t.integer().primaryKey().generated(),
      groupId: t.integer(),
      name: t.text(),
      email: t.text(),
      active: t.boolean(),
      score: t.real(),
      createdAt: t.timestamp(),
    },
    { indexes: ['groupId'], versioned: true },
  ),
})

/** The data layer on Holdfast; the same code on every backend. */
export function holdfastStore(storage: Storage<typeof schema>): ItemStore {
  const items = storage.repository('items')
  return {
    getById: (id) => items.findById(id),
    findByGroup: (groupId) => items.find({ where: { groupId } }),
    insert: (item) => items.create(item),
    update: (id, version, change) => items.update(id, change, { ifVersion: version }),
    insertMany: (all) => items.createMany(all),
    threeWrites: (item, changedId, score, deletedId) =>
      storage.transaction(async (tx) => {
        const inside = tx.repository('items')
        const { id } = await inside.create(item)
        await inside.update(changedId, { score })
        await inside.delete(deletedId)
        return id
      }),
    async removeAbove(id) {
      await items.deleteMany({ id: { gt: id } })
    },
    close: () => storage.close(),
  }
}
