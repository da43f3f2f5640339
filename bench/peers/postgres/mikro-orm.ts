import { defineEntity, MikroORM, p, type RawQueryFragment, raw } from '@mikro-orm/postgresql'
import type { Item } from '../../items.ts'
import { type ItemStore, POOL_SIZE, StaleVersion, type Target } from '../store.ts'
import { createTable } from './table.ts'

const ItemEntity = defineEntity({
  name: 'Item',
  tableName: 'items',
  properties: {
    id: p.integer().primary(),
    groupId: p.integer(),
    name: p.text(),
    email: p.text(),
    active: p.boolean(),
    score: p.float(),
    createdAt: p.datetime(),
    version: p.integer().version(),
  },
})

const ROWS_A_STATEMENT = 1_000

/** MikroORM: a fork for each operation, native writes instead of the unit of work. */
export async function open(target: Target): Promise<ItemStore> {
  await createTable(target)
  const orm = await MikroORM.init({ clientUrl: target.url, entities: [ItemEntity], pool: { max: POOL_SIZE } })
  return {
    getById: (id) => orm.em.fork().findOne(ItemEntity, id),
    findByGroup: (groupId) => orm.em.fork().find(ItemEntity, { groupId }, { orderBy: { id: 'asc' } }),
    async insert(item) {
      const id = await orm.em.fork().insert(ItemEntity, { ...item, version: 1 })
      return { id, ...item, version: 1 }
    },
    async update(id, version, change) {
      const em = orm.em.fork()
      const affected = await em.nativeUpdate(ItemEntity, { id, version }, { ...change, version: version + 1 })
      if (affected !== 1) throw new StaleVersion()
      return em.findOneOrFail(ItemEntity, id)
    },
    async insertMany(all) {
      return orm.em.fork().transactional(async (em) => {
        const made: Item[] = []
        for (let start = 0; start < all.length; start += ROWS_A_STATEMENT) {
          const chunk = all.slice(start, start + ROWS_A_STATEMENT)
          // Of plain rows it gives the first id only, of entities all.
          const entities = chunk.map((item) => em.create(ItemEntity, { ...item, version: 1 }, { persist: false }))
          await em.insertMany(entities)
          made.push(...entities)
        }
        return made
      })
    },
    async threeWrites(item, changedId, score, deletedId) {
      return orm.em.fork().transactional(async (em) => {
        const id = await em.insert(ItemEntity, { ...item, version: 1 })
        const next = raw<RawQueryFragment>('version + 1')
        await em.nativeUpdate(ItemEntity, { id: changedId }, { score, version: next })
        await em.nativeDelete(ItemEntity, { id: deletedId })
        return id
      })
    },
    async removeAbove(id) {
      await orm.em.fork().nativeDelete(ItemEntity, { id: { $gt: id } })
    },
    close: () => orm.close(),
  }
}
