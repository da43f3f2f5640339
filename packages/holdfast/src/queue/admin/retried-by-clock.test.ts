import { afterEach, describe, expect, it, vi } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const HOUR_MS = 3_600_000

afterEach(() => void vi.restoreAllMocks())

/** Whoever queues a job again has a clock that is so far ahead; it is taken by somebody whose clock is right. */
async function takenAfterRetry(aheadMs: number, group?: string) {
  await using database = await TestDatabase.create()
  const schema = defineSchema({ jobs: queue<{ n: number }>({ startWithinMs: HOUR_MS / 2, maxAttempts: 1 }) })
  await using storage = await openStorage(database.url.href, { schema })
  const jobs = storage.queue('jobs')
  const { id } = await jobs.enqueue({ n: 1 }, group === undefined ? {} : { group })
  await jobs.drain(() => Promise.reject(new Error('broken')))
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs)
  expect(await jobs.retry(id)).toBe(true)
  vi.restoreAllMocks()
  await jobs.enqueue({ n: 2 })
  return (await jobs.dequeueMany(2)).map(({ data }) => data.n)
}

// Only a server has a clock of its own.
describe('a job that is queued again runs now, by the clock of the database', () => {
  it.each([
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ])('where a machine whose clock is %s does it', async (_, aheadMs) => {
    expect(await takenAfterRetry(aheadMs)).toEqual([1, 2])
    expect(await takenAfterRetry(aheadMs, 'group')).toEqual([1, 2])
  })
})
