import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memory } from '../../backends/memory/index.ts'
import { type BackendFactory, defineSchema, openStorage, queue } from '../../index.ts'
import { Audience } from './audience.ts'
import { changeTopicOf, watcherTopicOf } from './topics.ts'

const CHANGES = changeTopicOf('jobs')
const schema = defineSchema({ jobs: queue<null>() })

/** A storage in memory, with what it was told. */
async function openListening() {
  const told: string[] = []
  const someWatch = Promise.withResolvers<void>()
  const listening: BackendFactory = (context) => {
    const backend = memory()(context)
    const notify = backend.notify?.bind(backend)
    backend.notify = async (topic) => {
      told.push(topic)
      await notify?.(topic)
      if (topic === watcherTopicOf('jobs')) someWatch.resolve()
    }
    return backend
  }
  const storage = await openStorage(listening, { schema })
  return {
    storage,
    jobs: storage.queue('jobs'),
    changes: () => told.filter((topic) => topic === CHANGES).length,
    someWatch,
  }
}

describe('those who watch jobs', () => {
  it('are told of what becomes of jobs, and nobody is while nobody watches', async () => {
    const { storage, jobs, changes } = await openListening()
    const worker = jobs.work(async (_, { progress }) => progress('halfway'))
    const run = async () => {
      const completed = once(worker, 'completed')
      await jobs.enqueue(null)
      await completed
    }
    await run()
    expect(changes()).toBe(0)
    const watched = jobs.watch(await jobs.enqueue(null, { delayMs: 3_600_000 }))
    await watched.next()
    await run()
    // It begins, tells of its progress, and ends.
    expect(changes()).toBe(3)
    await watched.return()
    await storage.close()
  })

  it('are told of the end of a job that had begun before they waited for it', async () => {
    const { storage, jobs, changes, someWatch } = await openListening()
    const [begun, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const worker = jobs.work(() => {
      begun.resolve()
      return done.promise
    })
    const job = await jobs.enqueue(null)
    await begun.promise
    const waiting = jobs.waitFor(job)
    await someWatch.promise
    const completed = once(worker, 'completed')
    done.resolve()
    await completed
    expect(changes()).toBe(1)
    expect((await waiting).state).toBe('completed')
    await storage.close()
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
