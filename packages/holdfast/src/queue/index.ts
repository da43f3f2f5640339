export type { CancelFilter } from './admin/cancel.ts'
export type { PurgeOptions } from './admin/purge.ts'
export type { PauseOptions } from './admin/queue-admin.ts'
export { QueueAdmin } from './admin/queue-admin.ts'
export type { RescheduleOptions } from './admin/reschedule.ts'
export type { RetryFilter } from './admin/retry-jobs.ts'
export type { DequeueOptions } from './claim/dequeue.ts'
export type { JobOrId } from './finish/held.ts'
export type { WaitOptions } from './finish/wait-for.ts'
export type { JobWatchOptions } from './finish/watch-job.ts'
export type { EnqueueOptions } from './job/accept-job.ts'
export { type Around, adding, type JobRunning, type JobsAdding, running } from './job/channels.ts'
export type { ListOptions, QueueStats } from './job/find.ts'
export type { Job, JobError, JobSettings } from './job/job.ts'
export type { JobFilter, PayloadFilter } from './job/job-filter.ts'
export { queueModels } from './job/models.ts'
export type { JobPage, JobPageOptions } from './job/page.ts'
export { RetryIn, retryIn } from './job/retry-in.ts'
export type { CatchUp } from './job/schedule-model.ts'
export type { JobState, JobStateFilter, WaitsFor } from './job/states.ts'
export { Queue } from './queue.ts'
export type { ScheduleOptions } from './schedule/accept-schedule.ts'
export type { ScheduleInterval } from './schedule/interval.ts'
export type { Schedule } from './schedule/schedules.ts'
export { Discard, discard, Snooze, snooze } from './work/endings.ts'
export type { WorkerEvents } from './work/events.ts'
export type {
  Handled,
  HandledMany,
  HandledOne,
  Handler,
  HandlerContext,
  ManyContext,
  ManyHandler,
  ManyMiddleware,
  Middleware,
} from './work/handler.ts'
export type { LaterOptions, LaterTransaction, WorkerHost } from './work/host.ts'
export type { StopOptions } from './work/stop-options.ts'
export type { WorkManyOptions, WorkOptions } from './work/work-options.ts'
export { Worker } from './work/worker.ts'
export { Workers } from './work/workers.ts'
