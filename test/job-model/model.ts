import { enqueue } from './adding.ts'
import { choose, type Held, listed, type State } from './jobs.ts'
import { tenthOf } from './queues.ts'
import type { Step } from './steps.ts'
import { acknowledge, dequeue, extend, fail } from './taking.ts'
import {
  cancel,
  cancelMany,
  latency,
  pause,
  prune,
  purge,
  reschedule,
  resume,
  retry,
  retryMany,
  stats,
  updateData,
} from './tending.ts'

/**
 * Does a step with the model, and gives what it comes to.
 *
 * @param held the job that was taken and is meant, where one is.
 * @param holder the number of this taking.
 * @param only the jobs that are taken, of those that may be; the most urgent unless given.
 * @throws Refusal.
 */
export function doInModel(state: State, step: Step, held: Held, holder: number, only?: ReadonlySet<number>): unknown {
  if ('held' in step) {
    if (step.do === 'acknowledge') return acknowledge(state, held, step.byId, step.result)
    if (step.do === 'fail') return fail(state, held, step.byId, step.message, step.retry)
    return extend(state, held, step.byId, step.leaseMs)
  }
  if ('job' in step) {
    const n = step.job
    if (step.do === 'cancel') return cancel(state, n)
    if (step.do === 'updateData') return updateData(state, n, step.data)
    return step.do === 'reschedule' ? reschedule(state, n, step.to) : retry(state, n)
  }
  switch (step.do) {
    case 'release':
      state.releases[step.queue] = step.release
      return undefined
    case 'enqueue':
      return enqueue(state, step.queue, step.jobs)
    case 'dequeue':
      return dequeue(state, step.queue, step.count, step.leaseMs, holder, only)
    case 'cancelMany':
      return cancelMany(state, step.queue, step.chosen)
    case 'retryMany':
      return retryMany(state, step.queue, step.chosen)
    case 'purge':
      return purge(state, step.queue, step.chosen)
    case 'pause':
      return pause(state, step.queue, step.forMs)
    case 'resume':
      return resume(state, step.queue)
    case 'prune':
      return prune(state, step.queue)
    case 'stats':
      return { ...stats(state, step.queue), latency: tenthOf(latency(state, step.queue)) }
    case 'list':
      return listed(choose(state, step.queue, step.chosen))
  }
  return undefined
}
