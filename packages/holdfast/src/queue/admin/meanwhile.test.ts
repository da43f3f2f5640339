import { describe, expect, it, onTestFinished } from 'vitest'
import { type Chooses, failingStatements } from '../../../../../test/failing-statements.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const schema = defineSchema({ work: queue<{ n: number }>({ maxAttempts: 1 }) })

const takesFinished: Chooses = ({ kind, model }) => kind === 'delete' && model === 'holdfastFinishedJobs'

// Elsewhere one writer runs at a time, and nothing can happen between two statements of a transaction.
describe.each(testBackends.filter(({ name }) => name.startsWith('postgres')))('on $name', ({ fresh }) => {
  it('a job that somebody else has queued again and that has completed meanwhile is not queued again', async () => {
    const { target, drop } = await fresh()
    const statements = await failingStatements(target)
    const [storage, other] = [
      await openStorage(statements.backend, { schema }),
      await openStorage(target, { schema }),
    ] as const
    onTestFinished(async () => {
      await storage.close()
      await other.close()
      await drop()
    })
    const [work, elsewhere] = [storage.queue('work'), other.queue('work')]
    const { id } = await work.enqueue({ n: 1 })
    await work.drain(() => Promise.reject(new Error('broken')))
    statements.before(takesFinished, async () => {
      await elsewhere.retry(id)
      await elsewhere.drain(() => undefined)
    })
    expect(await work.retryMany()).toBe(0)
    expect((await work.get(id))?.state).toBe('completed')
  })
})
