import { openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/**
 * A process that declares a schedule and works on its jobs, to be killed by `killed-ticker.test.ts`. Its clock is wrong by `skewMs`, and its
 * schedule goes by an interval where the `rule` is `interval`.
 */
const [target = '', skewMs = '', rule = ''] = process.argv.slice(2)
const now = Date.now
Date.now = () => now() + Number(skewMs)
const storage = await openStorage(target, { schema: crashSchema })
const work = storage.queue('work')
await work.schedule(
  'every second',
  rule === 'interval' ? { everyMs: 1_000 } : '* * * * * *',
  { id: 'tick' },
  { catchUp: 'all' },
)
work.work(() => process.stdout.write('.'), { leaseMs: 1_000, pollMs: 50, onError: () => undefined })
process.stdout.write('looking')
