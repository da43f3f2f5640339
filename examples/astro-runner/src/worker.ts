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

/**
 * Starts a worker that gives checks their results whose jobs failed for good, because every worker that had one died: without it their
 * executions would run for ever.
 */
export function startLostCheckWorker(storage: RunnerStorage): Worker {
  return storage.queue('lostChecks').work(async ({ data: { data, errors } }, { tx }) => {
    const { executionId, position, check } = data
    const problems = [`It was given up: ${errors.at(-1)?.message}`]
    await tx.repository('results').create({
      executionId,
      position,
      name: check.name,
      outcome: 'failed',
      status: null,
      durationMs: 0,
      attempts: [{ status: null, durationMs: 0, problems }],
    })
  })
}
