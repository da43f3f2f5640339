import type { Issue } from '../../base/errors.ts'
import { describe } from '../../schema/index.ts'
import type { JobState } from './models.ts'

/** Every state of a job. */
export const JOB_STATES: readonly JobState[] = [
  'blocked',
  'scheduled',
  'waiting',
  'active',
  'completed',
  'failed',
  'cancelled',
]

/** Adds to `issues` that an option names no state, or none of those that it may. */
export function checkState(state: unknown, known: readonly JobState[], issues: Issue[]): void {
  if (state === undefined || known.includes(state as JobState)) return
  issues.push({ path: 'state', reason: `must be one of ${known.join(', ')}, got ${describe(state)}` })
}
