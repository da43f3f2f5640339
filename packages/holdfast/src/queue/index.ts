export type { EnqueueOptions } from './accept-job.ts'
export { type Around, adding, type JobRunning, type JobsAdding, running } from './channels.ts'
export { Discard, discard, Snooze, snooze } from './endings.ts'
export type { QueueStats } from './find.ts'
export type {
  Handled,
  HandledMany,
  HandledOne,
  Handler,
  HandlerContext,
  ManyContext,
  ManyHandler,
  Middleware,
} from './handler.ts'
export type { LaterTransaction, WorkerHost } from './host.ts'
export type { Job, JobError, JobSettings } from './job.ts'
export { type JobState, queueModels } from './models.ts'
export { type JobOrId, type ListOptions, type PurgeOptions, Queue } from './queue.ts'
export type { RescheduleOptions } from './reschedule.ts'
export type { RetryFilter } from './retry-jobs.ts'
export type { CatchUp } from './schedule-model.ts'
export type { Schedule, ScheduleOptions } from './schedules.ts'
export type { WaitOptions } from './wait-for.ts'
export type { WorkManyOptions, WorkOptions } from './work-options.ts'
export { Worker, type WorkerEvents } from './worker.ts'
export { type StopOptions, Workers } from './workers.ts'
