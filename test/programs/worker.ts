import { increment, openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that works on jobs, to be killed by `killed-worker.test.ts`: each job adds one to a counter. */
const [target = '', way = ''] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })
storage.queue('work').work(
  async (_, { tx }) => {
    await tx.repository('counters').update('done', { n: increment(1) })
    process.stdout.write('.')
  },
  {
    concurrency: 4,
    leaseMs: 1_000,
    pollMs: 50,
    onError: () => undefined,
    ...(way === 'unleased' && { mode: 'transaction', leases: false, batch: 10 }),
  },
)
