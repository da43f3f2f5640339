import { increment, openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that works on many jobs at once, to be killed by `killed-many-worker.test.ts`: each adds one to a counter. */
const [target = ''] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })
storage.queue('work').workMany(
  async (jobs, { tx }) => {
    for (const _ of jobs) {
      await tx.repository('counters').update('done', { n: increment(1) })
      process.stdout.write('.')
    }
  },
  { batch: 20, leaseMs: 1_000, pollMs: 50, onError: () => undefined },
)
