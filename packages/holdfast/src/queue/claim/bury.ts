import { finish } from '../finish/finish.ts'
import { type Job, jobError } from '../job/job.ts'
import { openJob } from '../job/payload.ts'
import type { QueueScope } from '../job/scope.ts'
import { lateAmong, startWithinMsOf } from './late.ts'

/** A job that cannot be run, and why. */
export interface Buried {
  readonly job: Job
  readonly error: unknown
}

/** What was taken: jobs as their handlers are given them, and those that cannot be run. */
export interface Examined {
  readonly jobs: readonly Job[]
  readonly buried: readonly Buried[]
}

/**
 * Tells jobs that can be run from those that are late, those whose workers were lost at every attempt, and those whose payload this code does
 * not take.
 */
export async function examine(scope: QueueScope, taken: readonly Job[]): Promise<Examined> {
  const late = await lateAmong(scope, taken)
  const jobs: Job[] = []
  const buried: Buried[] = []
  for (const job of taken) {
    try {
      jobs.push(examined(scope, job, late))
    } catch (error) {
      const attempt = Math.min(job.attempt, job.maxAttempts)
      const errors = [...job.errors, jobError(error, attempt, scope.session.clock.now())]
      buried.push({ job: { ...job, state: 'failed', attempt, errors }, error })
    }
  }
  return { jobs, buried }
}

/**
 * A job as its handler is given it.
 *
 * @throws an error when it cannot be run: another attempt would come to the same, or would take down workers for ever.
 */
function examined({ declaration }: QueueScope, job: Job, late: ReadonlySet<Job>): Job {
  if (late.has(job)) throw new Error(`It did not begin within ${startWithinMsOf(job, declaration)} ms of its time.`)
  if (job.attempt > job.maxAttempts) throw new Error('The worker that ran it was lost.')
  return openJob(declaration, job)
}

/** Ends jobs that cannot be run: they have failed. */
export async function bury(scope: QueueScope, buried: readonly Buried[]): Promise<void> {
  await finish(
    scope,
    buried.map(({ job }) => ({ job, state: 'failed', result: null })),
  )
}
