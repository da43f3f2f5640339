import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kill, type StartedProcess, startProcess } from '../../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { type FreshTarget, testBackends } from '../../../../../test/targets.ts'
import { openStorage, type Storage } from '../../index.ts'

const HOUR_MS = 3_600_000

// Memory is not among them: other processes cannot see it, and it says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('processes with jobs on $name', ({ fresh }) => {
  let database: FreshTarget
  let storage: Storage<typeof crashSchema>
  let children: StartedProcess[]
  let over: boolean

  beforeEach(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { schema: crashSchema })
    await storage.repository('counters').create({ id: 'done' })
    children = []
    over = false
  })

  afterEach(async () => {
    over = true
    for (const child of children) await kill(child)
    await storage.close()
    await database.drop()
  })

  function start(mode: 'work' | 'transact' | 'unleased' | 'enqueue' | 'take', skewMs = 0): StartedProcess {
    const child = startProcess('job-process.ts', database.target, mode, String(skewMs))
    children.push(child)
    return child
  }

  async function effects(): Promise<number> {
    return (await storage.repository('counters').getById('done')).n
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await sleep(20)
  }

  it('that add one key at once make one job', { timeout: 60_000 }, async () => {
    await Promise.all([start('enqueue'), start('enqueue'), start('enqueue')].map((child) => once(child, 'exit')))
    expect((await storage.queue('work').stats()).waiting).toBe(1)
  })

  it('that take jobs of groups at once let no more of a group begin than its rate allows', {
    timeout: 60_000,
  }, async () => {
    const limited = storage.queue('limited')
    await limited.enqueueMany(Array.from({ length: 60 }, (_, n) => ({ data: { id: '' }, group: `group ${n % 3}` })))
    await Promise.all([start('take'), start('take'), start('take')].map((child) => once(child, 'exit')))
    const begun = Map.groupBy(await limited.list({ state: 'active' }), ({ group }) => group)
    expect([...begun.values()].map((jobs) => jobs.length)).toEqual([5, 5, 5])
  })

  it('whose clocks are an hour off neither steal jobs nor lose theirs', { timeout: 60_000 }, async () => {
    const work = storage.queue('work')
    const workers = [start('work'), start('work', HOUR_MS), start('work', -HOUR_MS)]
    const begun = Promise.all(workers.map(({ stdout }) => once(stdout, 'data')))
    for (let jobs = 0; jobs < 6; jobs++) await work.enqueue({ id: 'slow' })
    await begun
    await until(async () => (await work.stats()).completed === 6)
    const finished = await work.list({ state: 'completed' })
    expect(finished.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 6 }, () => 1))
    expect(await effects()).toBe(6)
  })

  it('that a job kills at every attempt are rid of it in the end', { timeout: 60_000 }, async () => {
    const work = storage.queue('work')
    const { id } = await work.enqueue({ id: 'poison' }, { maxAttempts: 2 })
    const other = await work.enqueue({ id: 'good' }, { priority: -1 })
    let deaths = 0
    const keepAlive = (child: StartedProcess) =>
      child.once('exit', () => {
        if (++deaths <= 2) keepAlive(start('work'))
      })
    keepAlive(start('work'))
    await until(
      async () => (await work.get(id))?.state === 'failed' && (await work.get(other.id))?.state === 'completed',
    )
    expect(deaths).toBe(2)
    expect((await work.get(id))?.errors.at(-1)?.message).toMatch(/worker .* was lost/)
    expect(await effects()).toBe(1)
  })

  it.each(['transact', 'unleased'] as const)(
    'that a job kills, with all that its transaction had done, are rid of it in the end (%s)',
    {
      timeout: 60_000,
    },
    async (mode) => {
      const work = storage.queue('work')
      const good = Array.from({ length: 12 }, (_, n) => ({ data: { id: `good ${n}` } }))
      await work.enqueueMany(good.slice(0, 2))
      const { id } = await work.enqueue({ id: 'poison' }, { maxAttempts: 2 })
      await work.enqueueMany(good.slice(2))
      const keepAlive = (child: StartedProcess) => child.once('exit', () => over || keepAlive(start(mode)))
      keepAlive(start(mode))
      await until(async () => (await work.stats()).failed === 1 && (await work.stats()).completed === 12)
      const buried = await work.get(id)
      expect([buried?.attempt, buried?.errors.length]).toEqual([2, 1])
      expect(buried?.errors[0]?.message).toMatch(/worker .* was lost/)
      expect(await effects()).toBe(12)
    },
  )

  it('whose event loop stands still past the lease cannot complete the job beside another', {
    timeout: 60_000,
  }, async () => {
    const work = storage.queue('work')
    const blocked = start('work')
    await work.enqueue({ id: 'blocking' })
    await once(blocked.stdout, 'data')
    start('work')
    await until(async () => (await work.stats()).completed === 1)
    // The first goes on, and would add another one.
    const told = once(blocked.stdout, 'data')
    blocked.stdin.write('.')
    expect(String(await told)).toMatch(/^lost /)
    expect(await effects()).toBe(1)
    expect((await work.list({ state: 'completed' }))[0]?.attempt).toBe(2)
  })

  it('that are stopped past the lease, and go on, cannot complete it either', { timeout: 60_000 }, async () => {
    const work = storage.queue('work')
    const stopped = start('work')
    await work.enqueue({ id: 'slow' })
    await once(stopped.stdout, 'data')
    stopped.kill('SIGSTOP')
    start('work')
    await until(async () => (await work.stats()).completed === 1)
    stopped.kill('SIGCONT')
    await work.enqueue({ id: 'good' })
    await until(async () => (await work.stats()).completed === 2)
    await sleep(1_000)
    expect(await effects()).toBe(2)
  })
})
