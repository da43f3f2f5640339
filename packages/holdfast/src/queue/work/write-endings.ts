import { LeaseLostError } from '../../base/errors.ts'
import { handBack } from '../claim/leases.ts'
import { failAttempt, finish, snoozeJob } from '../finish/finish.ts'
import type { Finishing } from '../finish/finishing.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import type { Ending } from './attempt.ts'

/** Writes down what attempts came to; gives the ids of the jobs whose leases were still held, since only theirs is written. */
export async function writeEndings(scope: QueueScope, endings: ReadonlyMap<Job, Ending>): Promise<ReadonlySet<string>> {
  const completed = [...endings].flatMap(([job, ending]): Finishing[] =>
    ending.kind === 'completed' ? [{ job, state: 'completed', result: ending.result }] : [],
  )
  const held = new Set(completed.length === 0 ? [] : await finish(scope, completed))
  const unbegun: Job[] = []
  for (const [job, ending] of endings) {
    if (ending.kind === 'unbegun') unbegun.push(job)
    else if (ending.kind !== 'completed' && (await writeOne(scope, job, ending))) held.add(job.id)
  }
  return held.union(await handBack(scope.session, unbegun))
}

async function writeOne(
  scope: QueueScope,
  job: Job,
  ending: Exclude<Ending, { readonly kind: 'completed' | 'unbegun' }>,
): Promise<boolean> {
  try {
    if (ending.kind === 'snoozed') await snoozeJob(scope, job, ending.ms)
    else if (ending.kind === 'failed') await failAttempt(scope, job, ending.error, ending.retry)
    else return false
    return true
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
    return false
  }
}
