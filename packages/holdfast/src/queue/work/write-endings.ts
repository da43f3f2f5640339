import { LeaseLostError } from '../../base/errors.ts'
import { handBack } from '../claim/leases.ts'
import { failAttempt, failed, finish, isTriedAgain, snoozeJob } from '../finish/finish.ts'
import type { Finishing } from '../finish/finishing.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import type { Ending } from './attempt.ts'

/** The endings of attempts that neither completed their jobs nor lost them. */
export type Otherwise = Exclude<Ending, { readonly kind: 'completed' | 'lost' }>

/** Writes down what attempts came to; gives the ids of the jobs whose leases were still held, since only theirs is written. */
export async function writeEndings(scope: QueueScope, endings: ReadonlyMap<Job, Ending>): Promise<ReadonlySet<string>> {
  const finishing: Finishing[] = []
  const unbegun: Job[] = []
  const others: (readonly [Job, Otherwise])[] = []
  for (const [job, ending] of endings) {
    if (ending.kind === 'completed') finishing.push({ job, state: 'completed', result: ending.result })
    else if (ending.kind === 'unbegun') unbegun.push(job)
    else if (ending.kind === 'failed' && !isTriedAgain(job, ending.retry))
      finishing.push(failed(scope, job, ending.error))
    else if (ending.kind !== 'lost') others.push([job, ending])
  }
  const held = finishing.length === 0 ? new Set<string>() : await finish(scope, finishing)
  for (const [job, ending] of others) if (await writeEnding(scope, job, ending)) held.add(job.id)
  return unbegun.length === 0 ? held : held.union(await handBack(scope.session, unbegun))
}

/** Writes down what an attempt came to that did not complete its job; gives whether the lease was still held. */
export async function writeEnding(scope: QueueScope, job: Job, ending: Otherwise): Promise<boolean> {
  try {
    if (ending.kind === 'unbegun') return (await handBack(scope.session, [job])).has(job.id)
    if (ending.kind === 'snoozed') await snoozeJob(scope, job, ending.ms)
    else await failAttempt(scope, job, ending.error, ending.retry)
    return true
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
    return false
  }
}
