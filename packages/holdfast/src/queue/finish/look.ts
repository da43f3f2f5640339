import { NotFoundError } from '../../base/errors.ts'
import { findJob } from '../job/find.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { keepsNoCompleted } from './complete.ts'

/** Between the first looks of who may not be told yet; they grow to what was asked for. */
export const FIRST_POLL_MS = 20

/**
 * A job as it is now; one that was there when it was last `seen`, and is gone because its queue keeps none that completed without a result,
 * has completed.
 *
 * @throws NotFoundError when there is none (any more).
 */
export async function look(scope: QueueScope, id: string, seen: Job | null): Promise<Job> {
  const { session, queue, declaration } = scope
  const job = await findJob(session, queue, id)
  if (job !== null) return job
  if (seen !== null && keepsNoCompleted(declaration))
    return { ...seen, state: 'completed', waitsFor: null, finishedAt: new Date(session.clock.now()) }
  throw new NotFoundError(`the queue ${queue}`, id, 'Has the queue forgotten the job already? See `keep`.')
}
