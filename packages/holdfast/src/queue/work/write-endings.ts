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
    else if (isWritten(ending) && (await writeIfHeld(scope, job, ending))) held.add(job.id)
  }
  return held.union(await handBack(scope.session, unbegun))
}

/** The endings of attempts that neither completed their jobs nor lost them. */
export type Otherwise = Exclude<Ending, { readonly kind: 'completed' | 'lost' }>

/**
 * Writes down what an attempt came to that did not complete its job.
 *
 * @throws LeaseLostError when somebody else has the job by now.
 */
export async function writeEnding(scope: QueueScope, job: Job, ending: Otherwise): Promise<void> {
  if (ending.kind === 'snoozed') await snoozeJob(scope, job, ending.ms)
  else if (ending.kind === 'failed') await failAttempt(scope, job, ending.error, ending.retry)
  else await handBack(scope.session, [job])
}

function isWritten(ending: Ending): ending is Otherwise {
  return ending.kind !== 'completed' && ending.kind !== 'lost'
}

async function writeIfHeld(scope: QueueScope, job: Job, ending: Otherwise): Promise<boolean> {
  try {
    await writeEnding(scope, job, ending)
    return true
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
    return false
  }
}
