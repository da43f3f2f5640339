import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memory } from '../../backends/memory/index.ts'
import { type BackendFactory, defineSchema, openStorage, queue } from '../../index.ts'
import { Audience } from './audience.ts'
import { changeTopicOf } from './topics.ts'

const CHANGES = changeTopicOf('jobs')

describe('those who watch jobs', () => {
  it('are told of what becomes of jobs, and nobody is while nobody watches', async () => {
    const told: string[] = []
    const listening: BackendFactory = (context) => {
      const backend = memory()(context)
      const notify = backend.notify?.bind(backend)
      backend.notify = async (topic) => {
        told.push(topic)
        await notify?.(topic)
      }
      return backend
    }
    await using storage = await openStorage(listening, { schema: defineSchema({ jobs: queue<null>() }) })
    const jobs = storage.queue('jobs')
    const worker = jobs.work(async (_, { progress }) => progress('halfway'))
    await jobs.waitFor(await jobs.enqueue(null))
    expect(told).not.toContain(CHANGES)

    const watched = jobs.watch(await jobs.enqueue(null, { delayMs: 3_600_000 }))
    await watched.next()
    await jobs.waitFor(await jobs.enqueue(null))
    await worker.untilIdle()
    // It begins, tells of its progress, and ends.
    expect(told.filter((topic) => topic === CHANGES)).toHaveLength(3)
    await watched.return()
    await worker.stop()
  })

  describe('are', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    it('forgotten when they have not been heard for a while', () => {
      const told: string[] = []
      const session = { notify: (topic: string) => told.push(topic) } as never
      const audience = new Audience('jobs')
      const isTold = () => {
        audience.tell(session)
        return told.splice(0).length > 0
      }
      expect(isTold()).toBe(false)
      audience.heard()
      vi.advanceTimersByTime(10_000)
      audience.heard()
      vi.advanceTimersByTime(10_000)
      expect(isTold()).toBe(true)
      vi.advanceTimersByTime(10_000)
      expect(isTold()).toBe(false)
    })
  })
})
