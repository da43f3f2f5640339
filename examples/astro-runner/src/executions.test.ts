import { defineSchema, LeaseLostError, openStorage, queue, ValidationError } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FreshTarget, testBackends } from '../../../test/targets.ts'
import { startPlan } from './executions.ts'
import type { Plan } from './plan.ts'
import { type RunnerStorage, schema } from './schema.ts'
import { TargetServer } from './testing/target-server.ts'
import { finished } from './testing/waiting.ts'
import { startCheckWorker, startLostCheckWorker } from './worker.ts'

describe.each(testBackends)('an execution on $name', ({ fresh }) => {
  let database: FreshTarget
  let storage: RunnerStorage
  let target: TargetServer
  /** How far the storage's clock is ahead. */
  let aheadMs: number

  beforeEach(async () => {
    database = await fresh()
    aheadMs = 0
    storage = await openStorage(database.target, { schema, clock: { now: () => Date.now() + aheadMs } })
    target = await TargetServer.start()
  })

  afterEach(async () => {
    await storage.close()
    await target[Symbol.asyncDispose]()
    await database.drop()
  })

  async function storePlan(checks: number, fields: Partial<Plan['checks'][number]> = {}): Promise<string> {
    const check = (position: number): Plan['checks'][number] => ({
      name: `check ${position}`,
      method: 'GET',
      path: `/${position}`,
      timeoutMs: 5_000,
      retries: 0,
      expect: { status: 200 },
      ...fields,
    })
    const plan = { name: 'a plan', target: target.url, checks: Array.from({ length: checks }, (_, at) => check(at)) }
    return (await storage.repository('plans').create(plan)).id
  }

  async function positions(): Promise<number[]> {
    return (await storage.repository('results').find()).map(({ position }) => position)
  }

  it('ends as failed when the workers of a check died every time', async () => {
    const execution = await startPlan(storage, await storePlan(2))
    const job = await storage.queue('checks').dequeue()
    if (job === null) return expect.unreachable()
    await storage.queue('checks').fail(job, new Error('The worker that ran it was lost.'), false)
    startCheckWorker(storage, {})
    startLostCheckWorker(storage)
    expect(await finished(storage, execution.id)).toMatchObject({ state: 'failed', passed: 1, failed: 1 })
    const [lost] = await storage.repository('results').find({ where: { outcome: 'failed' } })
    expect(lost?.attempts[0]?.problems).toEqual(['It was given up: The worker that ran it was lost.'])
  })

  it('comes to be together with its jobs, or not at all', async () => {
    const refused = { issues: [{ message: 'is refused by this test' }] }
    const refusing = queue<never>({
      schema: { '~standard': { version: 1, vendor: 'test', validate: () => refused } },
    })
    await storage.close()
    await database.drop()
    database = await fresh()
    const broken = defineSchema({ ...schema.declarations, checks: refusing })
    storage = (await openStorage(database.target, { schema: broken })) as unknown as RunnerStorage

    await expect(startPlan(storage, await storePlan(3))).rejects.toThrow(ValidationError)
    expect(await storage.repository('executions').count()).toBe(0)
    expect(await storage.queue('checks').list()).toEqual([])
  })

  it('has one result for each check, however many workers share them', async () => {
    target.answer = (request, response) => response.writeHead(request.url === '/7' ? 500 : 200).end()
    const { id } = await startPlan(storage, await storePlan(40))
    for (let worker = 0; worker < 3; worker++) startCheckWorker(storage, { concurrency: 4 })
    expect(await finished(storage, id)).toMatchObject({ state: 'failed', total: 40, passed: 39, failed: 1 })
    expect(await positions()).toEqual(Array.from({ length: 40 }, (_, at) => at))
    await vi.waitFor(async () =>
      expect(await storage.queue('checks').stats()).toMatchObject({ active: 0, completed: 40 }),
    )
  })

  it('records a failing check after all its attempts, and one that recovers as passed', async () => {
    target.answer = (request, response, call) => response.writeHead(request.url === '/1' && call > 1 ? 200 : 503).end()
    const { id } = await startPlan(storage, await storePlan(2, { retries: 2 }))
    startCheckWorker(storage, { concurrency: 2 })
    expect(await finished(storage, id)).toMatchObject({ passed: 1, failed: 1 })
    const [failed, recovered] = await storage.repository('results').find({ where: { executionId: id } })
    expect([failed?.outcome, failed?.attempts.map(({ status }) => status)]).toEqual(['failed', [503, 503, 503]])
    expect([recovered?.outcome, recovered?.attempts.map(({ status }) => status)]).toEqual(['passed', [503, 200]])
    expect(failed?.attempts[2]?.problems).toEqual(['the status is 503, expected 200'])
  })

  it('loses no check with a worker that died', async () => {
    const { id } = await startPlan(storage, await storePlan(6))
    const dead = await storage.queue('checks').dequeueMany(2, { leaseMs: 30_000 })
    expect(dead.map(({ data }) => data.position)).toEqual([0, 1])
    aheadMs = 31_000
    startCheckWorker(storage, { concurrency: 2 })
    expect(await finished(storage, id)).toMatchObject({ state: 'passed', passed: 6 })
    expect(await positions()).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('takes no result from a worker that lost its check to another', async () => {
    const asked = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    target.answer = async (_, response) => {
      asked.resolve()
      await released.promise
      response.end()
    }
    await startPlan(storage, await storePlan(1))
    const errors: unknown[] = []
    const slow = startCheckWorker(storage, { leaseMs: 30_000, onError: (error) => errors.push(error) })
    await asked.promise
    aheadMs = 31_000
    const taken = await storage.queue('checks').dequeue()
    expect(taken?.attempt).toBe(2)
    released.resolve()
    await slow.stop()
    expect(errors).toEqual([expect.any(LeaseLostError)])
    expect(await positions()).toEqual([])
  })

  it('is finished by the next worker when one is stopped in the middle of its checks', async () => {
    const asked = Promise.withResolvers<void>()
    target.answer = () => asked.resolve() // and never answers
    const { id } = await startPlan(storage, await storePlan(3))
    const worker = startCheckWorker(storage, { concurrency: 2 })
    await asked.promise
    await worker.stop({ timeoutMs: 0 })
    expect(await positions()).toEqual([])

    target.answer = (_, response) => response.end()
    aheadMs = 60_000 // A job that was given up is tried again after a pause.
    startCheckWorker(storage, { concurrency: 2 })
    expect(await finished(storage, id)).toMatchObject({ state: 'passed', passed: 3 })
    expect(await positions()).toEqual([0, 1, 2])
  })

  it('goes with its plan, and its results go with it', async () => {
    const planId = await storePlan(2)
    const { id } = await startPlan(storage, planId)
    startCheckWorker(storage, { concurrency: 2 })
    await finished(storage, id)
    await storage.repository('plans').delete(planId)
    expect([await storage.repository('executions').count(), await positions()]).toEqual([0, []])
  })
})
