import { PgBoss } from 'pg-boss'
import type { Target } from '../../peers/store.ts'
import { Countdown, type JobQueue } from '../job-queue.ts'

const BATCH = 1_000
const WORKERS = 4

/** pg-boss: large batches, several workers, fetching on while batches come back full. */
export async function open(target: Target): Promise<JobQueue> {
  const boss = new PgBoss({ connectionString: target.url, max: 10, supervise: false, schedule: false })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue('work')
  return {
    enqueue: (payload) => boss.send('work', payload),
    enqueueMany: (payloads) =>
      boss.insert(
        'work',
        payloads.map((data) => ({ data })),
      ),
    async run(jobs) {
      const countdown = new Countdown(jobs)
      await boss.work(
        'work',
        {
          batchSize: BATCH,
          localConcurrency: WORKERS,
          burstWhenBatchFull: true,
          pollingIntervalSeconds: 0.5,
        },
        async (batch) => {
          for (const _ of batch) countdown.tick()
        },
      )
      await countdown.reached
      await boss.offWork('work')
    },
    close: () => boss.stop(),
  }
}
