import { afterEach, expect, it, vi } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const HOUR_MS = 3_600_000

afterEach(() => void vi.restoreAllMocks())

// Only a server has a clock of its own.
it('a machine whose clock is ahead fails no job that begins in time', async () => {
  await using database = await TestDatabase.create()
  const schema = defineSchema({ jobs: queue<{ n: number }>({ startWithinMs: HOUR_MS / 2 }) })
  await using storage = await openStorage(database.url.href, { schema })
  const jobs = storage.queue('jobs')
  const { id } = await jobs.enqueue({ n: 1 })
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + HOUR_MS)
  expect((await jobs.dequeue())?.id).toBe(id)
})
