import { describe, expect, it, onTestFinished } from 'vitest'
import { type Chooses, failingStatements } from '../../../../../test/failing-statements.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, type Job, openStorage, queue, snooze, t, table, type Worker } from '../../index.ts'

const HOUR_MS = 3_600_000

const late = { kind: 'fixed', firstMs: HOUR_MS, jitter: 0 } as const

const schema = defineSchema({
  done: table({ id: t.integer().primaryKey() }),
  work: queue<{ n: number }>({ backoff: late }),
  traceless: queue<{ n: number }>({ keep: { completed: 0 } }),
})

/** The job is to be tried again. */
const putsOff: Chooses = ({ kind, model }, parameters) =>
  kind === 'update' && model === 'holdfastJobs' && parameters[0] === 'scheduled'

/** What a worker tells of what became of its jobs, by their payloads. */
function toldBy(worker: Worker<{ n: number }>): unknown[] {
  const told: unknown[] = []
  worker.on('completed', ({ data }, result) => told.push([data.n, 'completed', result]))
  worker.on('failed', ({ data }, error, final) => told.push([data.n, final ? 'failed' : 'tried again', String(error)]))
  worker.on('snoozed', ({ data }, ms) => told.push([data.n, 'snoozed', ms]))
  worker.on('lost', ({ data }) => told.push([data.n, 'lost']))
  return told
}

describe.each(testBackends)('a worker on $name whose commit is lost', ({ fresh }) => {
  async function opened() {
    const { target, drop } = await fresh()
    const statements = await failingStatements(target)
    const storage = await openStorage(statements.backend, { schema })
    const errors: unknown[] = []
    onTestFinished(async () => {
      await storage.close()
      await drop()
    })
    const onError = (error: unknown) => void errors.push(error)
    /** A worker whose handler's commit gets no reply. */
    const losing = (name: 'work' | 'traceless', isUndone = false) =>
      storage.queue(name).worker(
        async ({ data }, { tx }) => {
          await tx.repository('done').create({ id: data.n })
          statements.loseCommit(isUndone)
        },
        { onError },
      )
    return { storage, statements, errors, onError, losing }
  }

  it.each(['work', 'traceless'] as const)('tells that its job has completed, if it has: %s', async (name) => {
    const { storage, errors, losing } = await opened()
    const work = storage.queue(name)
    await work.enqueue({ n: 1 })
    const worker = losing(name)
    const told = toldBy(worker)
    await worker.drain()
    expect(told).toEqual([[1, 'completed', null]])
    expect(errors).toEqual([])
    expect(await storage.repository('done').count()).toBe(1)
  })

  it.each(['transaction', 'unleased', 'many'] as const)(
    'tells what each job of a batch has come to: %s',
    async (mode) => {
      const { storage, statements, errors, onError } = await opened()
      const work = storage.queue('work')
      await work.enqueueMany([
        ...[1, 2, 3].map((n) => ({ data: { n } })),
        { data: { n: 4 }, maxAttempts: 1 },
        { data: { n: 5 } },
      ])
      const endings = [{ ok: true }, snooze(HOUR_MS), new Error('broken'), new Error('broken for good'), null]
      const worker =
        mode !== 'many'
          ? work.worker(
              async ({ data }, { tx }) => {
                await tx.repository('done').create({ id: data.n })
                if (data.n === 5) statements.loseCommit()
                const ending = endings[data.n - 1]
                if (ending instanceof Error) throw ending
                return ending
              },
              { mode: 'transaction', leases: mode === 'transaction', onError },
            )
          : work.manyWorker(
              async (jobs, { tx }) => {
                await tx.repository('done').createMany(jobs.map(({ data }) => ({ id: data.n })))
                statements.loseCommit()
                return endings
              },
              { onError },
            )
      const told = toldBy(worker as Worker<{ n: number }>)
      await worker.drain()
      expect(told.toSorted()).toEqual([
        [1, 'completed', { ok: true }],
        [2, 'snoozed', HOUR_MS],
        [3, 'tried again', 'Error: broken'],
        [4, 'failed', 'Error: broken for good'],
        [5, 'completed', null],
      ])
      expect(errors).toEqual([])
    },
  )

  it('does a batch without leases again, if nothing was committed', async () => {
    const { storage, statements, errors, onError } = await opened()
    const work = storage.queue('work')
    await work.enqueueMany([1, 2].map((n) => ({ data: { n } })))
    const attempts: unknown[] = []
    const worker = work.worker(
      async ({ data, attempt, token }, { tx }) => {
        attempts.push([data.n, attempt, token !== null])
        await tx.repository('done').create({ id: data.n })
        if (attempts.length === 2) statements.loseCommit(true)
      },
      { mode: 'transaction', leases: false, onError },
    )
    const told = toldBy(worker)
    // The attempts that were undone are none.
    expect(await worker.drain()).toBe(2)
    expect(attempts).toEqual([
      [1, 1, false],
      [2, 1, false],
      [1, 1, true],
      [2, 1, true],
    ])
    expect(told).toEqual([
      [1, 'completed', null],
      [2, 'completed', null],
    ])
    expect(errors).toMatchObject([{ code: 'UNKNOWN_OUTCOME' }])
    expect(await storage.repository('done').count()).toBe(2)
  })

  it('tells that the attempt has failed, if nothing was committed', async () => {
    const { storage, errors, losing } = await opened()
    const work = storage.queue('work')
    await work.enqueue({ n: 1 })
    const worker = losing('work', true)
    const told = toldBy(worker)
    await worker.drain()
    expect(told).toMatchObject([[1, 'tried again', expect.stringMatching(/^UnknownOutcomeError/)]])
    expect(errors).toEqual([])
    expect(await storage.repository('done').count()).toBe(0)
  })

  it('tells that the job was lost, if nothing was committed and it was cancelled then', async () => {
    const { storage, statements, errors, losing } = await opened()
    const work = storage.queue('work')
    const { id } = (await work.enqueue({ n: 1 })) as Job
    const worker = losing('work', true)
    const told = toldBy(worker)
    statements.before(putsOff, () => work.cancel(id))
    await worker.drain()
    expect(told).toEqual([])
    expect(errors).toMatchObject([{ code: 'LEASE_LOST' }])
  })
})
