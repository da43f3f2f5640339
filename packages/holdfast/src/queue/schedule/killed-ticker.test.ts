import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { kill, type StartedProcess, startProcess } from '../../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { openStorage } from '../../index.ts'

const TICKS = 6

/** Every other process has a clock that is right; the rest are an hour ahead or behind. */
const skews = [0, 3_600_000, 0, -3_600_000]
let started = 0

function startTicker(target: string, rule: string): StartedProcess {
  const skewMs = skews[started++ % skews.length] as number
  return startProcess('ticker.ts', target, String(skewMs), rule)
}

/** Resolves when a ticker looks for ticks: one that is killed sooner tries nothing, and on a busy machine none would ever look. */
async function looking({ stdout }: StartedProcess): Promise<void> {
  if (stdout.readableLength === 0) await once(stdout, 'readable')
}

// Memory is not among them: other processes cannot see it, and it says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('four tickers killed on $name', ({ fresh }) => {
  it.each(['cron', 'interval'])(
    'make one job for each tick of a %s by the database’s clock',
    { timeout: 120_000 },
    async (rule) => {
      const { target, drop } = await fresh()
      const storage = await openStorage(target, { schema: crashSchema })
      const work = storage.queue('work')
      const jobs = () => work.list({ limit: 1_000 })
      let children = Array.from({ length: 4 }, () => startTicker(target, rule))
      let kills = 0
      while ((await jobs()).length < TICKS) {
        const [victim, ...others] = children
        if (victim === undefined) return expect.unreachable()
        await looking(victim)
        await sleep(300 + Math.random() * 400)
        await kill(victim)
        kills++
        children = [...others, startTicker(target, rule)]
      }
      for (const child of children) await kill(child)
      const [schedule] = await work.schedules()
      const ticks = (await jobs()).map(({ runAt }) => runAt.getTime()).sort((left, right) => left - right)
      const first = ticks[0] as number
      expect(kills).toBeGreaterThan(0)
      expect(ticks).toEqual(ticks.map((_, index) => first + index * 1_000))
      expect(schedule?.lastAt?.getTime()).toBe(ticks.at(-1))
      await storage.close()
      await drop()
    },
  )
})
