import type { Job } from '../job/job.ts'

/** A job that ends, and how. */
export interface Finishing {
  readonly job: Job
  readonly state: 'completed' | 'failed' | 'cancelled'
  readonly result: unknown
}

/** What is known of a job that was taken out of the table of live ones, besides what a `Job` says. */
export interface Removed {
  readonly id: string
  readonly awaited: boolean
  readonly stepped: boolean
  readonly key: string | null
  readonly progress: unknown
}
