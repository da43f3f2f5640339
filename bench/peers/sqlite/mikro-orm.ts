import { defineEntity, MikroORM, p, type RawQueryFragment, raw } from '@mikro-orm/sqlite'
import type { Item } from '../../items.ts'
import { type ItemStore, StaleVersion, type Target } from '../store.ts'
import { createFile, synchronous } from './table.ts'

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
  createFile(target)
  const orm = await MikroORM.init({ dbName: target.url, entities: [ItemEntity] })
  await orm.em.getConnection().execute(`pragma synchronous = ${synchronous(target)}`)
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
          // It gives the first id only. One writer makes the ids of a statement follow.
          const rows = chunk.map((item) => ({ ...item, version: 1 }))
          const [first] = (await em.insertMany(ItemEntity, rows)) as [number]
          for (const [at, row] of rows.entries()) made.push({ id: first + at, ...row })
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
