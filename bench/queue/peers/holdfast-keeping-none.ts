import type { Target } from '../../peers/store.ts'
import type { JobQueue } from '../job-queue.ts'
import { openWith } from './holdfast.ts'

/** Holdfast as graphile-worker is by itself: jobs that have completed are gone. */
export function open(target: Target): Promise<JobQueue> {
  return openWith(target, { keep: { completed: 0 } })
}
