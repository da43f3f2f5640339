import type { Job } from '../job/job.ts'

/** What a worker tells of; what a listener throws is reported to `onError`. */
export interface WorkerEvents<Data = unknown, Result = unknown> {
  /** A handler begins; in `transaction` mode, the batch that the job is in. */
  started: [job: Job<Data, Result>]
  completed: [job: Job<Data, Result>, result: Result]
  /** An attempt failed; with `final` the job has failed for good. */
  failed: [job: Job<Data, Result>, error: unknown, final: boolean]
  /** The job was put off by its handler. */
  snoozed: [job: Job<Data, Result>, ms: number]
  /** The lease ran out, or the job was cancelled, while its handler ran. The former is told as an error when nobody listens. */
  lost: [job: Job<Data, Result>]
}

/** Tells listeners; gives whether there are any. */
export type Tell = <Name extends keyof WorkerEvents>(event: Name, ...told: WorkerEvents[Name]) => boolean
