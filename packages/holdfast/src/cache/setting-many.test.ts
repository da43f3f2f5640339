import { expect, it } from 'vitest'
import { TestDatabase } from '../../../../test/postgres-database.ts'
import { openStorage } from '../index.ts'

const ROUNDS = 12
const keys = Array.from({ length: 300 }, (_, key) => key)

it('storages that set the same entries in different orders on Postgres do not wait for each other', async () => {
  await using database = await TestDatabase.create()
  const storages = await Promise.all(
    Array.from({ length: 4 }, () => openStorage(database.url.href, { autoCreate: true })),
  )
  const caches = storages.map((storage) => storage.cache<number>('c', { levels: ['storage'] }))
  const setAll = async (cache: (typeof caches)[number], at: number) => {
    for (let round = 1; round <= ROUNDS; round++) {
      const ordered = (at + round) % 2 === 0 ? keys : keys.toReversed()
      await cache.setMany(ordered.map((key) => [key, round]))
    }
  }
  await Promise.all(caches.map(setAll))
  expect(await caches[0]?.getMany(keys)).toEqual(keys.map(() => ROUNDS))
  for (const storage of storages) await storage.close()
})
