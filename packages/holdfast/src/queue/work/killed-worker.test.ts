import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { kill, startProcess } from '../../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { openStorage } from '../../index.ts'

/** More with HOLDFAST_KILLS=200 HOLDFAST_KILLED_JOBS=10000. */
const JOBS = Number(process.env['HOLDFAST_KILLED_JOBS'] ?? 400)
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 5)

// Memory is not among them: other processes cannot see it, and it says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('workers killed on $name', ({ fresh }) => {
  it.each(['leased', 'unleased'])(
    'apply the effects of each job exactly once, and leave none behind (%s)',
    {
      timeout: 120_000 + KILLS * 5_000,
    },
    async (way) => {
      const { target, drop } = await fresh()
      const storage = await openStorage(target, { schema: crashSchema })
      const work = storage.queue('work')
      await storage.repository('counters').create({ id: 'done' })
      await work.enqueueMany(Array.from({ length: JOBS }, (_, i) => ({ data: { id: String(i) } })))
      let children = Array.from({ length: 4 }, () => startProcess('worker.ts', target, way))
      let kills = 0
      while ((await work.stats()).completed < JOBS) {
        const [victim, ...others] = children
        if (victim === undefined) return expect.unreachable()
        if (kills < KILLS) {
          await Promise.race([once(victim.stdout, 'data'), sleep(1_000)])
          await sleep(Math.random() * 60)
          await kill(victim)
          kills++
          children = [...others, startProcess('worker.ts', target, way)]
        } else await sleep(50)
      }
      for (const child of children) await kill(child)
      expect(kills).toBeGreaterThan(0)
      expect((await storage.repository('counters').getById('done')).n).toBe(JOBS)
      expect(await work.stats()).toMatchObject({ completed: JOBS, waiting: 0, active: 0 })
      await storage.close()
      await drop()
    },
  )
})
