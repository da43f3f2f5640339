import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { defineSchema, increment, openStorage, queue, type Storage, t, table } from '../index.ts'

const schema = defineSchema({
  counters: table({ id: t.text().primaryKey(), n: t.integer().default(0) }),
  work: queue<{ i: number }>({ maxAttempts: 3, backoff: { firstMs: 1_000, longestMs: 10_000 } }),
  checked: queue({ schema: z.object({ to: z.email(), copies: z.number().default(1) }) }),
})

/** A clock that tests move; the database's time moves with it. */
function movable(): { now(): number; advance(ms: number): void } {
  let ahead = 0
  return { now: () => Date.now() + ahead, advance: (ms) => (ahead += ms) }
}

describe.each(testBackends)('a queue on $name', ({ fresh }) => {
  let database: FreshTarget
  let storage: Storage<typeof schema>
  let clock: ReturnType<typeof movable>

  beforeEach(async () => {
    database = await fresh()
    clock = movable()
    storage = await openStorage(database.target, { schema, clock })
  })

  afterEach(async () => {
    await storage.close()
    await database.drop()
  })

  it('gives jobs by priority, then by age, each to one taker', async () => {
    const work = storage.queue('work')
    await work.enqueueMany([{ data: { i: 1 } }, { data: { i: 2 }, priority: 5 }, { data: { i: 3 }, priority: -1 }])
    const taken = await Promise.all([work.dequeue(), work.dequeue(), work.dequeue(), work.dequeue()])
    expect(taken.map((job) => job?.data.i).sort()).toEqual([1, 2, 3, undefined])
    await work.enqueueMany([{ data: { i: 4 } }, { data: { i: 5 }, priority: 1 }])
    expect((await work.dequeueMany(5)).map((job) => job.data.i)).toEqual([5, 4])
  })

  it('holds a job exactly when the transaction that enqueued it committed', async () => {
    const failed = storage.transaction(async (tx) => {
      await tx.queue('work').enqueue({ i: 1 })
      throw new Error('undo')
    })
    await expect(failed).rejects.toThrow('undo')
    expect(await storage.queue('work').dequeue()).toBeNull()
    await storage.transaction((tx) => tx.queue('work').enqueue({ i: 2 }))
    expect((await storage.queue('work').dequeue())?.data).toEqual({ i: 2 })
  })

  it('gives a job that is not due to nobody', async () => {
    const work = storage.queue('work')
    await work.enqueue({ i: 1 }, { delayMs: 60_000 })
    await work.enqueue({ i: 2 }, { runAt: new Date(clock.now() + 120_000) })
    expect(await work.dequeue()).toBeNull()
    clock.advance(61_000)
    expect((await work.dequeue({ leaseMs: 600_000 }))?.data.i).toBe(1)
    expect(await work.dequeue()).toBeNull()
    clock.advance(60_000)
    expect((await work.dequeue())?.data.i).toBe(2)
  })

  it('adds nothing while a live job has the key, and does so again afterwards', async () => {
    const work = storage.queue('work')
    const first = await work.enqueue({ i: 1 }, { key: 'nightly' })
    const raced = await Promise.all(Array.from({ length: 8 }, (_, i) => work.enqueue({ i }, { key: 'nightly' })))
    expect(new Set(raced.map(({ id }) => id))).toEqual(new Set([first.id]))
    const job = await work.dequeue()
    expect((await work.enqueue({ i: 3 }, { key: 'nightly' })).id).toBe(first.id)
    if (job !== null) await work.acknowledge(job)
    expect((await work.enqueue({ i: 4 }, { key: 'nightly' })).id).not.toBe(first.id)
  })

  it('lets only the holder finish a job', async () => {
    const work = storage.queue('work')
    await work.enqueue({ i: 1 })
    const stale = await work.dequeue({ leaseMs: 1_000 })
    clock.advance(1_500)
    const current = await work.dequeue()
    expect(current).toMatchObject({ id: stale?.id, attempt: 2 })
    if (stale === null || current === null) return expect.unreachable()
    for (const call of [() => work.acknowledge(stale), () => work.fail(stale, 'x'), () => work.extend(stale, 1_000)]) {
      await expect(call()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    }
    await work.acknowledge(current, { sum: 3 })
    expect(await work.get(current.id)).toMatchObject({ state: 'completed', result: { sum: 3 }, attempt: 2 })
    await expect(work.acknowledge(current.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('tries a failed job again after a growing pause, keeps every error, and then gives up', async () => {
    const work = storage.queue('work')
    const { id } = await work.enqueue({ i: 1 })
    for (const [attempt, pauseMs] of [
      [1, 1_000],
      [2, 2_000],
      [3, 0],
    ] as const) {
      const job = await work.dequeue()
      expect(job?.attempt).toBe(attempt)
      if (job !== null) await work.fail(job, new Error(`attempt ${attempt}\0`))
      expect(await work.dequeue()).toBeNull()
      clock.advance(pauseMs)
    }
    const failed = await work.get(id)
    expect(failed).toMatchObject({ state: 'failed', attempt: 3 })
    expect(failed?.errors.map(({ message }) => message)).toEqual(['attempt 1\\0', 'attempt 2\\0', 'attempt 3\\0'])
    expect(await work.retry(id)).toBe(true)
    expect((await work.dequeue())?.attempt).toBe(1)
  })

  it('buries a job whose workers die every time', async () => {
    const work = storage.queue('work')
    const { id } = await work.enqueue({ i: 1 })
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect((await work.dequeue({ leaseMs: 1_000 }))?.attempt).toBe(attempt)
      clock.advance(2_000)
    }
    expect(await work.dequeue()).toBeNull()
    expect(await work.get(id)).toMatchObject({ state: 'failed', attempt: 3 })
  })

  it('checks payloads and options before anything is written', async () => {
    const checked = storage.queue('checked')
    await expect(checked.enqueue({ to: 'nobody' })).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'data.to' }],
    })
    const wrong = { priority: 0.5, delayMs: -1, colour: 'red' } as object
    await expect(checked.enqueue({ to: 'kim@example.org' }, wrong)).rejects.toMatchObject({
      issues: [{ path: 'colour' }, { path: 'delayMs' }, { path: 'priority' }],
    })
    const many = checked.enqueueMany([{ data: { to: 'kim@example.org' } }, { data: { to: 'x' } }])
    await expect(many).rejects.toMatchObject({ issues: [{ path: '1.data.to' }] })
    expect((await checked.stats()).waiting).toBe(0)
    expect((await checked.enqueue({ to: 'kim@example.org' })).data).toEqual({ to: 'kim@example.org', copies: 1 })
  })

  it('counts, lists, cancels and forgets', async () => {
    const work = storage.queue('work')
    const [a, b, c] = await work.enqueueMany([
      { data: { i: 1 } },
      { data: { i: 2 } },
      { data: { i: 3 }, delayMs: 1_000 },
    ])
    if (a === undefined || b === undefined || c === undefined) return expect.unreachable()
    await work.dequeue()
    expect(await work.cancel(b.id)).toBe(true)
    expect(await work.cancel(b.id)).toBe(false)
    expect(await work.stats()).toEqual({
      waiting: 1,
      scheduled: 1,
      blocked: 0,
      active: 1,
      completed: 0,
      failed: 0,
      cancelled: 1,
    })
    expect((await work.list()).map(({ id }) => id).sort()).toEqual([a.id, b.id, c.id].sort())
    expect((await work.list({ state: 'cancelled' })).map(({ id }) => id)).toEqual([b.id])
    expect(await storage.queue('checked').get(a.id)).toBeNull()
    expect(await work.purge()).toBe(1)
    expect(await work.get(b.id)).toBeNull()
  })

  it('completes a job together with what its handler wrote, however often it was tried', async () => {
    await storage.repository('counters').create({ id: 'done' })
    await storage.queue('work').enqueueMany(Array.from({ length: 60 }, (_, i) => ({ data: { i } })))
    let attempts = 0
    const drained = async () =>
      storage.queue('work').drain(async (job, { tx }) => {
        attempts++
        await tx.repository('counters').update('done', { n: increment(1) })
        if (job.data.i % 10 === 3) await tx.queue('checked').enqueue({ to: 'kim@example.org' })
        if (job.data.i % 7 === 0 && job.attempt === 1) throw new Error('once')
      })
    await drained()
    clock.advance(2_000)
    await drained()
    expect(attempts).toBe(69)
    expect((await storage.repository('counters').getById('done')).n).toBe(60)
    expect((await storage.queue('work').stats()).completed).toBe(60)
    expect((await storage.queue('checked').stats()).waiting).toBe(6)
  })

  it('undoes what a handler wrote when its job was cancelled meanwhile, which is no error', async () => {
    await storage.repository('counters').create({ id: 'done' })
    const work = storage.queue('work')
    const { id } = await work.enqueue({ i: 1 })
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue()
    await work.drain(async (job, { tx }) => {
      await work.cancel(job.id)
      await tx.repository('counters').update('done', { n: increment(1) })
    })
    expect(warned).not.toHaveBeenCalled()
    warned.mockRestore()
    expect((await storage.repository('counters').getById('done')).n).toBe(0)
    expect((await work.get(id))?.state).toBe('cancelled')
  })

  it('undoes what a handler wrote when its lease was lost meanwhile, and says so', async () => {
    await storage.repository('counters').create({ id: 'done' })
    const work = storage.queue('work')
    const { id } = await work.enqueue({ i: 1 })
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue()
    let other: unknown
    await work.drain(async (_, { tx }) => {
      clock.advance(60_000)
      other = (await work.dequeue())?.id
      await tx.repository('counters').update('done', { n: increment(1) })
    })
    expect(other).toBe(id)
    expect(warned).toHaveBeenCalledWith(expect.objectContaining({ code: 'LEASE_LOST', cancelled: false }))
    warned.mockRestore()
    expect((await storage.repository('counters').getById('done')).n).toBe(0)
  })

  it('takes, runs and finishes a batch in one commit in transaction mode', async () => {
    await storage.repository('counters').create({ id: 'done' })
    const work = storage.queue('work')
    await work.enqueueMany(Array.from({ length: 25 }, (_, i) => ({ data: { i } })))
    const finished = Promise.withResolvers<void>()
    let runs = 0
    const worker = work.work(
      async (job, { tx }) => {
        if (++runs === 25) finished.resolve()
        await tx.repository('counters').update('done', { n: increment(1) })
        if (job.data.i === 5) throw new Error('alone')
      },
      { mode: 'transaction', batch: 10, pollMs: 20 },
    )
    await finished.promise
    await worker.stop()
    expect((await storage.repository('counters').getById('done')).n).toBe(24)
    expect(await work.stats()).toMatchObject({ completed: 24, scheduled: 1 })
  })

  it('runs each of 400 jobs once with four workers', async () => {
    const ran: number[] = []
    const work = storage.queue('work')
    await work.enqueueMany(Array.from({ length: 400 }, (_, i) => ({ data: { i } })))
    const all = Promise.withResolvers<void>()
    const workers = Array.from({ length: 4 }, () =>
      work.work(
        async (job) => {
          ran.push(job.data.i)
          if (ran.length === 400) all.resolve()
        },
        { concurrency: 4, pollMs: 20 },
      ),
    )
    await all.promise
    await Promise.all(workers.map((worker) => worker.stop()))
    expect(new Set(ran).size).toBe(400)
    expect(ran).toHaveLength(400)
    expect((await work.stats()).completed).toBe(400)
  })

  it('hands back what was not started when its worker stops, and aborts what takes too long', async () => {
    const work = storage.queue('work')
    await work.enqueueMany([{ data: { i: 1 } }, { data: { i: 2 } }, { data: { i: 3 } }])
    const started = Promise.withResolvers<void>()
    const worker = work.work(
      async (_, { signal }) => {
        started.resolve()
        await sleep(60_000, undefined, { signal })
      },
      { concurrency: 1 },
    )
    await started.promise
    await worker.stop({ timeoutMs: 20 })
    expect(await work.stats()).toMatchObject({ waiting: 3, active: 0, scheduled: 1 })
    expect((await work.dequeue())?.attempt).toBe(1)
  })

  it('wakes a sleeping worker when a job is added', async () => {
    const ran = Promise.withResolvers<number>()
    const worker = storage.queue('work').work((job) => ran.resolve(job.data.i), { pollMs: 25_000 })
    await sleep(50)
    await storage.queue('work').enqueue({ i: 7 })
    expect(await ran.promise).toBe(7)
    await worker.stop()
  })

  it('that nobody declared works, and workers cannot be started inside a transaction', async () => {
    const bare = await openStorage(database.target === 'memory:' ? 'memory:' : database.target)
    await bare.queue<{ x: number }>('loose').enqueue({ x: 1 })
    expect((await bare.queue<{ x: number }>('loose').dequeue())?.data.x).toBe(1)
    await bare.close()
    await storage.transaction(async (tx) => {
      expect(() => tx.queue('work').work(() => 1)).toThrow('cannot be started inside')
    })
  })
})
