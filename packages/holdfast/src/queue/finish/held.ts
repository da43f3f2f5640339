import type { Session } from '../../backend/index.ts'
import { NotFoundError } from '../../base/errors.ts'
import { describe, isStorableText } from '../../schema/index.ts'
import { checkCall } from '../job/check-call.ts'
import { live } from '../job/find.ts'
import { type Job, jobOf } from '../job/job.ts'
import { isJobId } from '../job/job-id.ts'
import { leaseLost } from './finish.ts'

/** A job, or its id. With the job itself it is made sure that the caller still holds it. */
export type JobOrId = Job | string

/**
 * The job that a caller means, which runs.
 *
 * @throws ValidationError unless it is a job or an id; LeaseLostError for a job that nobody took; NotFoundError for an id of no job that runs.
 */
export async function heldJob(session: Session, queue: string, jobOrId: JobOrId): Promise<Job> {
  checkCall(queue, (issues) => {
    if (typeof jobOrId === 'string' ? !isStorableText(jobOrId) : !isJob(jobOrId))
      issues.push({ path: 'job', reason: `must be a job or its id, got ${describe(jobOrId)}` })
  })
  if (typeof jobOrId !== 'string') {
    const { id, token } = jobOrId
    if (token === null || !isJobId(id) || !isJobId(token)) throw leaseLost(jobOrId)
    return jobOrId
  }
  const row = isJobId(jobOrId) ? await live(session).findById(jobOrId) : null
  if (row === null || row['queue'] !== queue || row['state'] !== 'active')
    throw new NotFoundError(`the queue ${queue}`, jobOrId, 'Only a job that runs can be ended or extended by its id.')
  return jobOf(row)
}

/** Whether somebody gave a job, as far as it matters for ending it. */
function isJob(job: Job | null | undefined): job is Job {
  if (typeof job !== 'object' || job === null) return false
  const { id, token, errors } = job
  const isText = (value: unknown) => typeof value === 'string' && isStorableText(value)
  return isText(id) && (token === null || isText(token)) && Array.isArray(errors)
}
