import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Chooses, failingStatements } from '../../../../../test/failing-statements.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, type Job, openStorage, queue } from '../../index.ts'

const schema = defineSchema({ work: queue<{ n: number }>({ maxAttempts: 3 }) })

/** Whether a queue is paused. */
const looksForPause: Chooses = ({ kind, model }) => kind === 'select' && model === 'holdfastGates'
/** Jobs that were not begun wait again. */
const handsBack: Chooses = ({ kind, model }, parameters) =>
  kind === 'update' && model === 'holdfastJobs' && parameters[0] === 'waiting' && parameters.includes(-1)
/** The end of jobs is written down that needs more than one statement. */
const records: Chooses = ({ kind, model }) => kind === 'insert' && model === 'holdfastFinishedJobs'
/** Jobs are taken from the beginning. */
const takes: Chooses = ({ kind, model }, parameters) =>
  kind === 'update' && model === 'holdfastJobs' && parameters[0] === 'active' && parameters.length === 9
/** Whether jobs are late. */
const looksForLate: Chooses = ({ kind, model }, parameters) =>
  kind === 'select' && model === 'holdfastJobs' && Array.isArray(parameters[0]) && typeof parameters[1] === 'number'

describe.each(testBackends)('a worker on $name', { timeout: 30_000 }, ({ fresh }) => {
  async function opened() {
    const { target, drop } = await fresh()
    const statements = await failingStatements(target)
    const time = { ahead: 0 }
    const clock = { now: () => Date.now() + time.ahead }
    const storage = await openStorage(statements.backend, { schema, clock })
    onTestFinished(async () => {
      await storage.close()
      await drop()
    })
    return { work: storage.queue('work'), statements, time }
  }

  it('takes nothing while it could not see whether its queue is paused', async () => {
    const { work, statements } = await opened()
    await work.pause()
    const { id } = await work.enqueue({ n: 1 })
    const failed = statements.fail(looksForPause)
    const taken = Promise.withResolvers<string>()
    const errors: unknown[] = []
    const options = { pollMs: 10_000, onError: (error: unknown) => errors.push(error) }
    work.work(() => taken.resolve('taken'), options)
    await failed
    const looked = statements.seen(looksForPause).then(() => 'looked')
    expect(await Promise.race([taken.promise, looked])).toBe('looked')
    await work.resume()
    expect((await work.waitFor(id)).attempt).toBe(1)
    expect(errors).toMatchObject([{ code: 'CONNECTION' }])
  })

  it('runs what it holds although it could not hand back what it does not', async () => {
    const { work, statements, time } = await opened()
    const lost = await work.enqueueMany([1, 2].map((n) => ({ data: { n } })))
    await work.dequeueMany(2, { leaseMs: 3_600_000 })
    work.work(() => undefined, { pollMs: 20, onError: () => undefined })
    // Its handlers are fast, so it takes jobs ahead.
    for (let n = 3; n < 6; n++) await work.waitFor(await work.enqueue({ n }))
    const failed = statements.fail(handsBack)
    time.ahead += 7_200_000
    await failed
    for (const job of lost) expect(await work.waitFor(job, { pollMs: 20 })).toMatchObject({ attempt: 2 })
  })

  it('keeps what it could not hand back, which counts no attempt', async () => {
    const { work, statements } = await opened()
    const gate = Promise.withResolvers<void>()
    work.work(({ data }) => (data.n === 1 ? gate.promise : undefined), {
      pollMs: 20,
      leaseMs: 1_000,
      onError: () => undefined,
    })
    await work.waitFor(await work.enqueue({ n: 0 }))
    const jobs = await work.enqueueMany([1, 2].map((n) => ({ data: { n } })))
    while ((await work.stats()).active < 2) await turn()
    const failed = statements.fail(handsBack)
    await work.pause()
    await failed
    await work.resume()
    gate.resolve()
    for (const job of jobs) expect(await work.waitFor(job, { pollMs: 20 })).toMatchObject({ attempt: 1 })
  })

  it('does not run a job that is late where that could not be seen at first', async () => {
    const { work, statements } = await opened()
    const runAt = new Date(Date.now() - 60_000)
    const { id } = await work.enqueue({ n: 1 }, { runAt, startWithinMs: 1_000 })
    const failed = statements.fail(looksForLate)
    let called = 0
    work.work(() => void called++, { pollMs: 20, leaseMs: 1_000, onError: () => undefined })
    await failed
    expect(await work.waitFor(id, { pollMs: 20 })).toMatchObject({ state: 'failed', attempt: 1 })
    expect(called).toBe(0)
  })

  it('does not run a job that is late where its failure could not be written down at first', async () => {
    const { work, statements, time } = await opened()
    const [late, beside] = await work.enqueueMany([
      { data: { n: 1 }, runAt: new Date(Date.now() - 60_000), startWithinMs: 1_000 },
      { data: { n: 2 } },
    ])
    const run: number[] = []
    const reported = Promise.withResolvers<unknown>()
    let fails = true
    statements.fail((...asked) => fails && records(...asked), Number.POSITIVE_INFINITY)
    work.work(({ data }) => void run.push(data.n), { pollMs: 20, onError: reported.resolve })
    expect(await reported.promise).toMatchObject({ code: 'CONNECTION' })
    fails = false
    expect(await work.waitFor(beside as Job, { pollMs: 20 })).toMatchObject({ state: 'completed' })
    time.ahead += 3_600_000
    expect(await work.waitFor(late as Job, { pollMs: 20 })).toMatchObject({ state: 'failed', attempt: 1 })
    expect(run).toEqual([2])
  })

  it('tells of every job that it has completed, also where one statement of several failed', async () => {
    const { work, statements } = await opened()
    const errors: unknown[] = []
    const completed: number[] = []
    await work.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
    // More often than a transaction is tried.
    const failed = statements.fail(records, 12)
    const worker = work.worker(({ data }) => (data.n === 2 ? 'result' : undefined), {
      concurrency: 3,
      onError: (error) => errors.push(error),
    })
    worker.on('completed', ({ data }) => completed.push(data.n))
    await worker.drain()
    await failed
    expect(completed.sort()).toEqual([1, 2, 3])
    expect(errors).toEqual([])
  })

  it('runs what it has taken although it could not take more', async () => {
    const { work, statements } = await opened()
    const jobs = await work.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
    let taken = 0
    const failed = statements.fail((...asked) => takes(...asked) && ++taken === 2)
    const worker = work.workMany(() => undefined, { batch: 2, leaseMs: 1_000, onError: () => undefined })
    for (const job of jobs) expect(await work.waitFor(job, { pollMs: 20 })).toMatchObject({ attempt: 1 })
    await worker.stop()
    await failed
  })

  it('waits for what runs before its draining fails', async () => {
    const { work, statements, time } = await opened()
    await work.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
    // Of jobs whose workers were lost no more are held than run at once.
    await work.dequeueMany(3, { leaseMs: 3_600_000 })
    time.ahead += 7_200_000
    const gate = Promise.withResolvers<void>()
    let fails = true
    let ended = 0
    statements.fail((...asked) => fails && handsBack(...asked), Number.POSITIVE_INFINITY)
    const worker = work.worker(
      async () => {
        await gate.promise
        ended++
      },
      { concurrency: 2, leaseMs: 300 },
    )
    const drained = worker.drain().then(
      () => 'drained',
      ({ code }) => [code, ended],
    )
    // It is tried again for as long as a lease.
    await sleep(1_000)
    gate.resolve()
    expect(await drained).toEqual(['CONNECTION', 2])
    fails = false
    expect(await work.stats()).toMatchObject({ active: 1, completed: 2 })
  })
})
