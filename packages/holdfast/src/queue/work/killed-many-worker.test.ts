import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { openStorage } from '../../index.ts'

const JOBS = 200
const KILLS = 3
const worker = join(import.meta.dirname, '../../../../../test/crash/many-worker.ts')

function startWorker(target: string): ChildProcess {
  return spawn(process.execPath, [worker, target], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

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
      const victim = startWorker(target)
      // It says so for each job: by then some of a batch are done, and the others are not.
      await once(victim.stdout as NodeJS.ReadableStream, 'data')
      await kill(victim)
    }
    const last = startWorker(target)
    while ((await work.stats()).completed < JOBS) await sleep(50)
    await kill(last)
    expect((await storage.repository('counters').getById('done')).n).toBe(JOBS)
    expect((await work.list({ state: 'completed', limit: JOBS })).some(({ attempt }) => attempt > 1)).toBe(true)
    await storage.close()
    await drop()
  })
})
