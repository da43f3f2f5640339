import type { Row } from '../../backend/index.ts'
import type { Backoff } from '../../schema/index.ts'
import { type JobState, SHOWN, type StoredState, type WaitsFor } from './states.ts'

/** One failed attempt. */
export interface JobError {
  readonly message: string
  readonly stack?: string
  /** When, as an ISO 8601 time. */
  readonly at: string
  readonly attempt: number
}

/** What was asked for one job alone. */
export interface JobSettings {
  readonly timeoutMs?: number
  readonly startWithinMs?: number
  readonly backoff?: Backoff
  readonly tags?: readonly string[]
  /** The ids of the jobs that it comes after. */
  readonly after?: readonly string[]
  /** It runs even when one of those fails. */
  readonly onFailure?: 'run'
  /** How many of its errors it had when it was last queued again, with all its attempts. */
  readonly pastErrors?: number
  /** What a listener sent along, such as the trace in which it was added. */
  readonly carrier?: Readonly<Record<string, string>>
}

/** A job as its queue gives it. */
export interface Job<Data = unknown, Result = unknown> {
  readonly id: string
  readonly queue: string
  /** The payload: brought to the version of this process and checked when it is handled, else as it was enqueued. */
  readonly data: Data
  /** Which form the payload has: see `QueueOptions.version`; 0 where it was enqueued by code that did not declare the queue. */
  readonly version: number
  readonly state: JobState
  /** What it waits for; null when it does not wait. */
  readonly waitsFor: WaitsFor | null
  /** How often it was taken; 1 while it runs for the first time. */
  readonly attempt: number
  readonly maxAttempts: number
  /** Higher runs first. */
  readonly priority: number
  readonly runAt: Date
  /** At most one live job of a queue has it. */
  readonly key: string | null
  /** Jobs of one group run one after the other, or as many at once as the queue allows. */
  readonly group: string | null
  /** The ids of the jobs that it comes after. */
  readonly after: readonly string[]
  /** By which it can be found: see `EnqueueOptions.tags`. */
  readonly tags: readonly string[]
  /** What the handler last said of its progress. */
  readonly progress: unknown
  /** What the handler returned; null for nothing, and before the job has completed. */
  readonly result: Result | null
  /** Every failed attempt. */
  readonly errors: readonly JobError[]
  readonly createdAt: Date
  readonly finishedAt: Date | null
  /** Proves that the holder took it; null unless it was just taken, under a lease. */
  readonly token: string | null
  /** What was asked for it alone; null for nothing. */
  readonly settings: JobSettings | null
}

// Shared by all jobs.
const NOTHING: readonly string[] = Object.freeze([])
const NO_ERRORS: readonly JobError[] = Object.freeze([])

/**
 * The job of a row of either table.
 *
 * @param known where its queue, its state and its token stand, which are the same for all jobs that were just taken.
 */
export function jobOf<Data, Result>(row: Row, known: Row = row): Job<Data, Result> {
  const settings = (row['settings'] ?? null) as JobSettings | null
  const { state, waitsFor } = SHOWN[known['state'] as StoredState]
  return {
    id: row['id'] as string,
    queue: known['queue'] as string,
    data: row['data'] as Data,
    version: row['version'] as number,
    state,
    waitsFor,
    attempt: row['attempt'] as number,
    maxAttempts: row['maxAttempts'] as number,
    priority: 0 - (row['precedence'] as number),
    runAt: row['runAt'] as Date,
    key: row['key'] as string | null,
    group: row['group'] as string | null,
    after: settings?.after ?? NOTHING,
    tags: settings?.tags ?? NOTHING,
    progress: row['progress'] ?? null,
    result: (row['result'] ?? null) as Result | null,
    errors: (row['errors'] ?? NO_ERRORS) as readonly JobError[],
    createdAt: row['createdAt'] as Date,
    finishedAt: (row['finishedAt'] as Date | undefined) ?? null,
    token: (known['token'] as string | null | undefined) ?? null,
    settings,
  }
}

/** How many of its last attempts in a row ended with the worker that ran or held it: nobody wrote down what became of them. */
function lostAttempts({ attempt, errors, settings }: Tried): number {
  const last = errors.length > (settings?.pastErrors ?? 0) ? errors.at(-1) : undefined
  return attempt - 1 - (last?.attempt ?? 0)
}

/** What says how the attempts of a job went. */
type Tried = Pick<Job, 'attempt' | 'errors' | 'settings'>

/** Whether the worker of its last attempt was lost, be it because of this job, of another one, or of none. */
export function isSuspect(job: Tried): boolean {
  return lostAttempts(job) > 0
}

/** Whether workers were lost with it again and again, or this is the last time that it is tried: then nothing else should be at stake. */
export function isDangerous(job: Tried & Pick<Job, 'maxAttempts'>): boolean {
  const lost = lostAttempts(job)
  return lost > 1 || (lost > 0 && job.attempt >= job.maxAttempts)
}

/** An error as a job keeps it. */
export function jobError(error: unknown, attempt: number, now: number): JobError {
  return { ...told(error), at: new Date(now).toISOString(), attempt }
}

/** Anything can be thrown, and what cannot be read must not keep the attempt from having failed. */
function told(error: unknown): Pick<JobError, 'message' | 'stack'> {
  try {
    if (!(error instanceof Error)) return { message: storable(String(error)) }
    const message = storable(String(error.message))
    return typeof error.stack === 'string' ? { message, stack: storable(error.stack) } : { message }
  } catch {
    return { message: 'What was thrown cannot be read.' }
  }
}

/** Messages come from anywhere; what no database can hold must not keep the error from being kept. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\\0')
}
