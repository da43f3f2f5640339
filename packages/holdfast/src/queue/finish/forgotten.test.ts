import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Chooses, failingStatements } from '../../../../../test/failing-statements.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const schema = defineSchema({ work: queue<{ n: number }>({ keep: { completed: 0 } }) })

const prunes: Chooses = ({ kind, model }) => kind === 'delete' && model === 'holdfastFinishedJobs'

afterEach(() => void vi.restoreAllMocks())

describe.each(testBackends)('a job on $name whose queue keeps none', ({ fresh }) => {
  async function opened() {
    const { target, drop } = await fresh()
    const statements = await failingStatements(target)
    const time = { ahead: 0 }
    const storage = await openStorage(statements.backend, {
      schema,
      clock: { now: () => Date.now() + time.ahead },
      autoCreate: true,
    })
    onTestFinished(async () => {
      await storage.close()
      await drop()
    })
    return { storage, work: storage.queue('work'), statements, time }
  }

  it('is not forgotten by workers before those that wait for it have seen how it ended', async () => {
    const { work, statements, time } = await opened()
    const { id } = await work.enqueue({ n: 1 })
    await work.cancel(id)
    // Workers prune at random times.
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const pruned = async () => {
      const pruning = statements.seen(prunes)
      const worker = work.work(() => undefined)
      await pruning
      await worker.stop()
    }
    await pruned()
    expect((await work.get(id))?.state).toBe('cancelled')
    time.ahead += 60_000
    await pruned()
    expect(await work.get(id)).toBeNull()
  })

  it('is not said to have completed when it was cancelled and is forgotten', async () => {
    const { storage, work } = await opened()
    const { id } = await work.enqueue({ n: 1 })
    const waiting = work.waitFor(id, { pollMs: 20 })
    const jobs = storage.repository<{ awaited: boolean }>('holdfastJobs')
    while ((await jobs.find()).every(({ awaited }) => !awaited));
    await storage.transaction(async (tx) => {
      await tx.queue('work').cancel(id)
      await tx.queue('work').prune()
    })
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
