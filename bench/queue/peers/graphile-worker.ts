import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import type { Target } from '../../peers/store.ts'
import { Countdown, type JobQueue, type Payload } from '../job-queue.ts'

const logger = new Logger(() => () => undefined)

/** graphile-worker as its page on performance sets it up: a local queue, completions in batches. */
export async function open(target: Target): Promise<JobQueue> {
  const connectionString = target.url
  const utils = await makeWorkerUtils({ connectionString, logger })
  await utils.migrate()
  return {
    enqueue: (payload) => utils.addJob('work', payload),
    enqueueMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: 'work', payload }))),
    async run(jobs) {
      const countdown = new Countdown(jobs)
      const runner = await run({
        preset: {
          worker: {
            connectionString,
            concurrentJobs: 24,
            maxPoolSize: 10,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
        taskList: { work: async () => countdown.tick() },
        logger,
        noHandleSignals: true,
      })
      await countdown.reached
      await runner.stop()
    },
    async wait(onJob) {
      const runner = await run({
        preset: { worker: { connectionString, concurrentJobs: 4, maxPoolSize: 10 } },
        taskList: { work: async (payload) => onJob(payload as Payload) },
        logger,
        noHandleSignals: true,
      })
      return () => runner.stop()
    },
    close: async () => {
      await utils.release()
    },
  }
}
