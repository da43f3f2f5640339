import { describe, expect, it, onTestFinished } from 'vitest'
import { type Chooses, failingStatements } from '../../../../../test/failing-statements.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, increment, openStorage, queue, t, table, type WorkOptions } from '../../index.ts'

const schema = defineSchema({
  counters: table({ id: t.text().primaryKey(), n: t.integer().default(0) }),
  jobs: queue<{ n: number }>({ maxAttempts: 3 }),
})

const UNLEASED = { mode: 'transaction', leases: false, pollMs: 20 } as const

/** Jobs are completed. */
const completes: Chooses = ({ kind, model }) => kind === 'delete' && model === 'holdfastJobs'
/** A worker says that it is there. */
const saysItIsThere: Chooses = ({ kind, model }) => kind === 'insert' && model === 'holdfastJobWorkers'

describe.each(testBackends)('a worker without leases on $name', { timeout: 30_000 }, ({ fresh }) => {
  async function opened() {
    const { target, drop } = await fresh()
    const statements = await failingStatements(target)
    const storage = await openStorage(statements.backend, { schema })
    onTestFinished(async () => {
      await storage.close()
      await drop()
    })
    await storage.repository('counters').create({ id: 'done' })
    const jobs = storage.queue('jobs')
    const done = async () => (await storage.repository('counters').getById('done')).n
    /** Adds one to a counter for each job, and says whether it had a lease. */
    const work = (options: WorkOptions = {}) => {
      const leased: boolean[] = []
      jobs.work(
        async ({ token }, { tx }) => {
          leased.push(token !== null)
          await tx.repository('counters').update('done', { n: increment(1) })
        },
        { ...UNLEASED, ...options },
      )
      return leased
    }
    return { storage, jobs, statements, done, work }
  }

  it('leaves its jobs waiting, to others, until they have ended, with what was written for them', async () => {
    const { jobs, done, storage } = await opened()
    const [running, behind] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { id } = await jobs.enqueue({ n: 1 })
    jobs.work(async (_, { tx }) => {
      await tx.repository('counters').update('done', { n: 1 })
      running.resolve()
      await behind.promise
    }, UNLEASED)
    await running.promise
    expect(await jobs.get(id)).toMatchObject({ state: 'waiting', attempt: 0 })
    expect(await done()).toBe(0)
    await expect(jobs.waitFor(id, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect(jobs.waitFor(id, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' })
    behind.resolve()
    expect(await jobs.waitFor(id, { pollMs: 20 })).toMatchObject({ state: 'completed', attempt: 1 })
    expect(await done()).toBe(1)
    expect(await storage.queue('jobs').stats()).toMatchObject({ completed: 1, active: 0 })
  })

  it('takes the next batch under leases when one was undone, and does each job once', async () => {
    const { jobs, statements, done, work } = await opened()
    const added = await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
    const failed = statements.fail(completes)
    const errors: unknown[] = []
    const leased = work({ onError: (error) => errors.push(error) })
    for (const job of added) expect(await jobs.waitFor(job, { pollMs: 20 })).toMatchObject({ attempt: 1 })
    await failed
    expect(leased).toEqual([false, false, false, true, true, true])
    expect(await done()).toBe(3)
    expect(errors).toMatchObject([{ code: 'CONNECTION' }])
    const next = await jobs.enqueue({ n: 4 })
    await jobs.waitFor(next, { pollMs: 20 })
    expect(leased.slice(6)).toEqual([false])
  })

  it('takes nothing before it has said that it is there', async () => {
    const { jobs, statements, work } = await opened()
    const { id } = await jobs.enqueue({ n: 1 })
    const failed = statements.fail(saysItIsThere)
    const leased = work({ onError: () => undefined })
    await failed
    expect(leased).toEqual([])
    expect(await jobs.waitFor(id, { pollMs: 20 })).toMatchObject({ attempt: 1 })
    expect(leased).toEqual([false])
  })
})
