import { better, defineQueue, defineWorker } from 'plainjob'
import { openDatabase } from '../../peers/sqlite/table.ts'
import type { Target } from '../../peers/store.ts'
import { Countdown, type JobQueue } from '../job-queue.ts'

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined }

/** plainjob on better-sqlite3. It does not try failed jobs again, and sets `synchronous=normal` itself. */
export async function open(target: Target): Promise<JobQueue> {
  const database = openDatabase({ ...target, url: target.url.replace('sqlite:', '') })
  const queue = defineQueue({ connection: better(database), logger: silent })
  return {
    enqueue: async (payload) => queue.add('work', payload),
    enqueueMany: async (payloads) => queue.addMany('work', [...payloads]),
    async run(jobs) {
      const countdown = new Countdown(jobs)
      const worker = defineWorker('work', () => countdown.tick(), { queue, pollIntervall: 10, logger: silent })
      const ended = worker.start()
      await countdown.reached
      await worker.stop()
      await ended
    },
    async close() {
      queue.close()
    },
  }
}
