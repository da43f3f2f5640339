/** Does the queued checks. Start as many workers as you like, in as many processes. */
import type { Worker, WorkOptions } from 'holdfast'
import { runCheck } from './check.ts'
import type { RunnerStorage } from './schema.ts'

/**
 * Starts a worker. `tx` begins with the result and ends with the job: both are committed together, so that a worker may die at any moment
 * and each check still has one result in the end. The request itself may then be sent twice.
 */
export function startCheckWorker(storage: RunnerStorage, options: WorkOptions): Worker {
  return storage.queue('checks').work(async (job, { tx, signal }) => {
    const { executionId, position, target, check } = job.data
    const outcome = await runCheck(target, check, signal)
    await tx.repository('results').create({ executionId, position, name: check.name, ...outcome })
  }, options)
}
