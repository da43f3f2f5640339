import { defineSchema, openStorage, type QueueOptions, queue } from 'holdfast'
import type { Target } from '../../peers/store.ts'
import { Countdown, type JobQueue, type Payload } from '../job-queue.ts'

/** How many jobs are taken with one statement, and run side by side; or share a transaction, and how many of these there are at once. */
const SETTINGS = {
  lease: { mode: 'lease', batch: 1_000, concurrency: 100 },
  transaction: { mode: 'transaction', batch: 1_000, concurrency: 4 },
  unleased: { mode: 'transaction', batch: 1_000, concurrency: 4, leases: false },
} as const

/** Larger batches wait less often for a server. */
const UNLEASED_ON_SERVER = { ...SETTINGS.unleased, batch: 4_000 } as const

/** Holdfast, on whatever the target names. Jobs have five attempts, and finished ones are kept. */
export function open(target: Target): Promise<JobQueue> {
  return openWith(target, {})
}

/** The same with other options of the queue. */
export async function openWith(target: Target, options: QueueOptions): Promise<JobQueue> {
  const schema = defineSchema({ work: queue<Payload>(options) })
  const storage = await openStorage(target.url, { schema, durability: target.durability })
  const work = storage.queue('work')
  const onServer = target.url.startsWith('postgres')
  return {
    enqueue: (payload) => work.enqueue(payload),
    enqueueMany: (payloads) => work.enqueueMany(payloads.map((data) => ({ data }))),
    async run(jobs, mode) {
      const countdown = new Countdown(jobs)
      const settings = mode === 'unleased' && onServer ? UNLEASED_ON_SERVER : SETTINGS[mode]
      const worker = work.work(() => countdown.tick(), settings)
      await countdown.reached
      await worker.stop()
    },
    async wait(onJob) {
      const worker = work.work(({ data }) => onJob(data), { concurrency: 4 })
      return () => worker.stop()
    },
    close: () => storage.close(),
  }
}
