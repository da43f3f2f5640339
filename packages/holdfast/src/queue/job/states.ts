import type { Issue } from '../../base/errors.ts'
import { describe } from '../../schema/index.ts'

/** Where a job stands. One that waits says in `waitsFor` what for. */
export type JobState = 'waiting' | 'active' | 'completed' | 'failed' | 'cancelled'

/**
 * What a job waits for: a `worker`, since it can be taken now; the `time` in its `runAt`, since it was put off or is to be tried again; or
 * other `jobs`, those that it comes after and those of its group.
 */
export type WaitsFor = 'worker' | 'time' | 'jobs'

/** States to choose jobs by: `waiting` takes in all that wait, `scheduled` those that wait for their time, `blocked` those for other jobs. */
export type JobStateFilter = JobState | 'scheduled' | 'blocked'

/**
 * What the tables say of a job's state: there one that is `waiting` can be taken now. The first four are in the table of live jobs, the
 * others in that of finished ones.
 */
export type StoredState = 'blocked' | 'scheduled' | 'waiting' | 'active' | 'completed' | 'failed' | 'cancelled'

/** How a job shows what is stored of its state. */
export const SHOWN: {
  readonly [Stored in StoredState]: { readonly state: JobState; readonly waitsFor: WaitsFor | null }
} = {
  waiting: { state: 'waiting', waitsFor: 'worker' },
  scheduled: { state: 'waiting', waitsFor: 'time' },
  blocked: { state: 'waiting', waitsFor: 'jobs' },
  active: { state: 'active', waitsFor: null },
  completed: { state: 'completed', waitsFor: null },
  failed: { state: 'failed', waitsFor: null },
  cancelled: { state: 'cancelled', waitsFor: null },
}

/** The states of live jobs to choose by. */
export const LIVE_STATES = ['waiting', 'scheduled', 'blocked', 'active'] as const

/** Every state to choose jobs by. */
export const JOB_STATES: readonly JobStateFilter[] = [...LIVE_STATES, 'completed', 'failed', 'cancelled']

/** What is stored of the jobs that a state chooses. */
export function storedStates(state: JobStateFilter): readonly StoredState[] {
  return state === 'waiting' ? ['waiting', 'scheduled', 'blocked'] : [state]
}

/** Adds to `issues` that an option names no state, or none of those that it may. */
export function checkState(state: unknown, known: readonly JobStateFilter[], issues: Issue[]): void {
  if (state === undefined || known.includes(state as JobStateFilter)) return
  issues.push({ path: 'state', reason: `must be one of ${known.join(', ')}, got ${describe(state)}` })
}
