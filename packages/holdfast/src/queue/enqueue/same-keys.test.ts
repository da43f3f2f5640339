import { expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const schema = defineSchema({ jobs: queue<number>() })
const ROUNDS = 20
const names = Array.from({ length: 300 }, (_, at) => `job ${at}`)

it('storages that enqueue jobs with the same keys in different orders on Postgres add each once', async () => {
  await using database = await TestDatabase.create()
  const storages = await Promise.all(
    Array.from({ length: 4 }, () => openStorage(database.url.href, { schema, autoCreate: true })),
  )
  const enqueue = async (storage: (typeof storages)[number], at: number) => {
    for (let round = 1; round <= ROUNDS; round++) {
      const ordered = (at + round) % 2 === 0 ? names : names.toReversed()
      const added = await storage
        .queue('jobs')
        .enqueueMany(ordered.map((name) => ({ data: round, key: `${name} ${round}` })))
      expect(added.map(({ key }) => key)).toEqual(ordered.map((name) => `${name} ${round}`))
    }
  }
  await Promise.all(storages.map(enqueue))
  expect((await storages[0]?.queue('jobs').stats())?.waiting).toBe(ROUNDS * names.length)
  for (const storage of storages) await storage.close()
})
