import { DataSource, EntitySchema, MoreThan } from 'typeorm'
import type { Item } from '../../items.ts'
import { type ItemStore, POOL_SIZE, StaleVersion, type Target } from '../store.ts'
import { createTable } from './table.ts'

const ItemEntity = new EntitySchema<{ -readonly [Name in keyof Item]: Item[Name] }>({
  name: 'Item',
  tableName: 'items',
  columns: {
    id: { type: 'integer', primary: true, generated: 'increment' },
    groupId: { type: 'integer', name: 'group_id' },
    name: { type: 'text' },
    email: { type: 'text' },
    active: { type: 'boolean' },
    score: { type: 'double precision' },
    createdAt: { type: 'timestamptz', precision: 3, name: 'created_at' },
    version: { type: 'integer', version: true },
  },
})

const ROWS_A_STATEMENT = 1_000

/** TypeORM on `pg`; `insert`, `update` and `delete` instead of `save`, as its documentation advises for speed. */
export async function open(target: Target): Promise<ItemStore> {
  await createTable(target)
  const source = new DataSource({ type: 'postgres', url: target.url, entities: [ItemEntity], poolSize: POOL_SIZE })
  await source.initialize()
  const items = source.getRepository(ItemEntity)
  return {
    getById: (id) => items.findOneBy({ id }),
    findByGroup: (groupId) => items.find({ where: { groupId }, order: { id: 'asc' } }),
    async insert(item) {
      const { identifiers } = await items.insert({ ...item })
      return { id: identifiers[0]!['id'] as number, ...item, version: 1 }
    },
    async update(id, version, change) {
      // It counts the version up by itself. The rows it returns have the database's names, so the item is read again.
      const { affected } = await items.update({ id, version }, change)
      if (affected !== 1) throw new StaleVersion()
      return items.findOneByOrFail({ id })
    },
    async insertMany(all) {
      return source.transaction(async (manager) => {
        const made: Item[] = []
        for (let start = 0; start < all.length; start += ROWS_A_STATEMENT) {
          const chunk = all.slice(start, start + ROWS_A_STATEMENT).map((item) => ({ ...item }))
          const { identifiers } = await manager.insert(ItemEntity, chunk)
          for (const [at, item] of chunk.entries()) made.push({ ...item, id: identifiers[at]!['id'], version: 1 })
        }
        return made
      })
    },
    async threeWrites(item, changedId, score, deletedId) {
      return source.transaction(async (manager) => {
        const { identifiers } = await manager.insert(ItemEntity, { ...item })
        await manager.update(ItemEntity, { id: changedId }, { score })
        await manager.delete(ItemEntity, { id: deletedId })
        return identifiers[0]!['id'] as number
      })
    },
    async removeAbove(id) {
      await items.delete({ id: MoreThan(id) })
    },
    close: () => source.destroy(),
  }
}
