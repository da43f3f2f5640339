import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { kill, startProcess } from '../../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { openStorage } from '../../index.ts'

const JOBS = 200
const KILLS = 3

// Memory is not among them: other processes cannot see it, and it says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('many jobs at once on $name', ({ fresh }) => {
  it('are all given back when their worker is killed between two of them, and done exactly once', {
    timeout: 120_000,
  }, async () => {
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { schema: crashSchema })
    const work = storage.queue('work')
    await storage.repository('counters').create({ id: 'done' })
    await work.enqueueMany(Array.from({ length: JOBS }, (_, i) => ({ data: { id: String(i) } })))
    for (let kills = 0; kills < KILLS; kills++) {
      const victim = startProcess('many-worker.ts', target)
      // It says so for each job: by then some of a batch are done, and the others are not.
      await once(victim.stdout, 'data')
      await kill(victim)
    }
    const last = startProcess('many-worker.ts', target)
    while ((await work.stats()).completed < JOBS) await sleep(50)
    await kill(last)
    expect((await storage.repository('counters').getById('done')).n).toBe(JOBS)
    expect((await work.list({ state: 'completed', limit: JOBS })).some(({ attempt }) => attempt > 1)).toBe(true)
    await storage.close()
    await drop()
  })
})
