import { openStorage } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FreshTarget, testBackends } from '../../../test/targets.ts'
import * as client from './demo/client.ts'
import { type RunnerProcess, startRunnerProcess } from './demo/runner-process.ts'
import { schema } from './schema.ts'
import { TargetServer } from './testing/target-server.ts'

/** Long enough that a busy machine does not lose it by being slow. */
const SHORT_LEASE_MS = 1_500

const durable = testBackends.filter(({ name }) => name !== 'memory')

describe.each(durable)('a runner that is a process, on $name', ({ fresh }) => {
  let database: FreshTarget
  let target: TargetServer
  let runner: RunnerProcess | undefined

  beforeEach(async () => {
    vi.stubEnv('NODE_OPTIONS', `--import ${new URL('../../../test/sources.ts', import.meta.url)}`)
    database = await fresh()
    target = await TargetServer.start()
  })

  afterEach(async () => {
    await runner?.stop()
    await target[Symbol.asyncDispose]()
    await database.drop()
    vi.unstubAllEnvs()
  })

  const start = async (workers: number, leaseMs = 30_000) => {
    runner = await startRunnerProcess(database.target, { workers, leaseMs })
    return runner
  }

  const stop = async (how: 'stop' | 'kill') => {
    await runner?.[how]()
    runner = undefined
  }

  async function startPlan({ url }: RunnerProcess, checks: number): Promise<string> {
    const plan = await client.storePlan(url, {
      name: 'a plan',
      target: target.url,
      checks: Array.from({ length: checks }, (_, at) => ({ name: `check ${at}`, path: `/${at}` })),
    })
    return (await client.startPlan(url, plan.id)).id
  }

  /** Resolves with the request number `count`; it and later ones wait for `release` when they are held. */
  function request(count: number, hold: boolean): { readonly came: Promise<void>; release(): void } {
    const came = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    target.answer = async (_, response) => {
      const late = target.calls() >= count
      if (late) came.resolve()
      if (late && hold) await released.promise
      response.end()
    }
    return { came: came.promise, release: released.resolve }
  }

  const finished = (url: string, id: string) =>
    vi.waitFor(
      async () => {
        const execution = await client.readExecution(url, id)
        expect(execution.state).not.toBe('running')
        return execution
      },
      { timeout: 20_000, interval: 50 },
    )

  it('keeps everything when it is stopped, and finishes what was queued when it starts again', async () => {
    const fourth = request(4, true)
    const id = await startPlan(await start(1), 30)
    await fourth.came
    const stopped = stop('stop')
    fourth.release()
    await stopped

    await using storage = await openStorage(database.target, { schema })
    expect(await storage.repository('plans').count()).toBe(1)
    const { waiting, active, completed } = await storage.queue('checks').stats()
    expect({ active, all: waiting + completed }).toEqual({ active: 0, all: 30 })
    expect(completed).toBeGreaterThanOrEqual(4)
    expect(waiting).toBeGreaterThan(0)
    expect(await storage.repository('results').count({ executionId: id })).toBe(completed)

    const { url } = await start(4)
    expect(await finished(url, id)).toMatchObject({ state: 'passed', passed: 30 })
    expect(target.calls()).toBe(30)
  })

  it('stores one result for each check, however often it is killed', async () => {
    const total = 40
    let id = ''
    for (const requests of [5, 15, 25]) {
      const next = request(requests, false)
      const started = await start(4, SHORT_LEASE_MS)
      if (id === '') id = await startPlan(started, total)
      await next.came
      await stop('kill')
    }
    const { url } = await start(8, SHORT_LEASE_MS)
    expect(await finished(url, id)).toMatchObject({ state: 'passed', passed: total })
    const results = await client.readResults(url, id)
    expect(results.map(({ position }) => position)).toEqual(Array.from({ length: total }, (_, at) => at))
    await stop('stop')

    await using storage = await openStorage(database.target, { schema })
    expect(await storage.queue('checks').stats()).toMatchObject({ waiting: 0, active: 0, completed: total, failed: 0 })
  })
})
