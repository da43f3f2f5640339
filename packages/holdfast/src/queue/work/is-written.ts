import { keepsNoCompleted } from '../finish/complete.ts'
import { findJob } from '../job/find.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import type { WrittenEnding } from './attempt.ts'

/**
 * Whether an attempt whose lease is gone came to this, with a commit whose reply was lost: otherwise the lease was lost before that. Whoever has
 * taken the job since has made another attempt.
 */
export async function isWritten(
  { session, queue, declaration }: QueueScope,
  { id, attempt, errors }: Job,
  ending: WrittenEnding,
): Promise<boolean> {
  const job = await findJob(session, queue, id)
  if (job === null) return ending.kind === 'completed' && ending.result === null && keepsNoCompleted(declaration)
  switch (ending.kind) {
    case 'completed':
      return job.state === 'completed' && job.attempt === attempt
    case 'failed':
      return job.errors[errors.length]?.attempt === attempt
    default:
      // They give the attempt back.
      return (job.state === 'active' ? job.attempt - 1 : job.attempt) < attempt
  }
}
