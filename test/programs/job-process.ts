import { readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { increment, openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that adds jobs or works on them, for `processes.test.ts`. Its clock is wrong by `skewMs`. */
const [target = '', mode = '', skewMs = '0'] = process.argv.slice(2)
const LEASE_MS = 1_000

const now = Date.now
Date.now = () => now() + Number(skewMs)
const storage = await openStorage(target, { schema: crashSchema })
const jobs = storage.queue('work')

if (mode === 'enqueue') {
  await Promise.all(Array.from({ length: 20 }, (_, n) => jobs.enqueue({ id: String(n) }, { key: 'one' })))
  await storage.close()
} else if (mode === 'take') {
  const limited = storage.queue('limited')
  while ((await limited.dequeueMany(3, { leaseMs: 3_600_000 })).length > 0);
  await storage.close()
} else {
  const shared = { leaseMs: LEASE_MS, pollMs: 50, onError: () => undefined }
  const inBatches = { ...shared, mode: 'transaction', batch: 5, leases: mode !== 'unleased' } as const
  const options = mode === 'work' ? { ...shared, concurrency: 2 } : inBatches
  const worker = jobs.work(async (job, { tx }) => {
    process.stdout.write(`${job.data.id}\n`)
    if (job.data.id === 'poison') process.kill(process.pid, 'SIGKILL')
    // The event loop stands still until the parent says so: no sign of life is given.
    if (job.data.id === 'blocking' && job.attempt === 1) readSync(0, Buffer.alloc(1))
    if (job.data.id === 'slow') await sleep(2 * LEASE_MS)
    await tx.repository('counters').update('done', { n: increment(1) })
  }, options)
  worker.on('lost', ({ id }) => process.stdout.write(`lost ${id}\n`))
}
