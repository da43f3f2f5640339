import { FIRST_RELEASE, type Release } from './queues.ts'

/** A job of the model. Times are milliseconds since the run began. */
export interface ModelJob {
  /** Its place among all jobs that were ever added. */
  readonly n: number
  readonly queue: string
  data: unknown
  /** The version of the code that gave it its payload; 0 where nobody declared it. */
  version: number
  state: 'waiting' | 'active' | 'completed' | 'failed' | 'cancelled'
  waitsFor: 'worker' | 'time' | 'jobs' | null
  attempt: number
  maxAttempts: number
  priority: number
  runAt: number
  /** When it may be taken while it waits for its time: `runAt`, or later where the rate of its group holds it back. */
  dueAt: number
  key: string | null
  group: string | null
  /** Whether it is its turn in its group. */
  turn: boolean
  /** Which jobs it was added after, and which of those have not ended. */
  after: readonly number[]
  behind: number[]
  onFailure: 'fail' | 'run'
  /** Whether any job was added after it. */
  awaited: boolean
  tags: readonly string[]
  startWithinMs: number | null
  result: unknown
  errors: { readonly message: string; readonly attempt: number }[]
  /** The number of the taking by which somebody holds it. */
  holder: number | null
  leaseUntil: number
  finishedAt: number | null
  /** Whether nothing is kept of it. */
  gone: boolean
}

/** What is asked of a job that is added. */
export interface Asked {
  readonly data: unknown
  readonly delayMs?: number
  readonly priority?: number
  readonly maxAttempts?: number
  readonly startWithinMs?: number
  readonly key?: string
  readonly onDuplicate?: 'ignore' | 'replace' | 'debounce'
  readonly windowMs?: number
  readonly group?: string
  readonly tags?: readonly string[]
  readonly after?: readonly number[]
  readonly onFailure?: 'fail' | 'run'
}

/** What jobs are chosen by. */
export interface Chosen {
  readonly state?: 'waiting' | 'scheduled' | 'blocked' | 'active' | 'completed' | 'failed' | 'cancelled'
  readonly key?: string
  readonly group?: string
  readonly tags?: readonly string[]
  readonly data?: { readonly v: number }
}

/** A job that somebody took, as they know it. */
export interface Held {
  readonly n: number
  readonly holder: number
  /** Its payload as it was given to them. */
  readonly data: unknown
  readonly version: number
}

/** What the model refuses, by the code of the error. */
export class Refusal extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** What follows from the end of a job, or from there being room in a group. */
export type FollowUp =
  | { readonly kind: 'group'; readonly queue: string; readonly group: string }
  | { readonly kind: 'end'; readonly queue: string; readonly n: number; readonly state: ModelJob['state'] }

/** How all queues stand, in plain arrays. */
export interface State {
  now: number
  jobs: ModelJob[]
  /** For which jobs keys stand until when, where a window was asked for. */
  windows: { queue: string; key: string; n: number; until: number }[]
  pauses: { queue: string; until: number }[]
  /** Windows of rates: when they began, and how many jobs began in them. */
  rates: { queue: string; group: string | null; began: number; used: number }[]
  /** What the code declares now, by queue. */
  releases: Record<string, Release>
  inTransaction: boolean
  /** What is to be done once a transaction is committed. */
  noted: FollowUp[]
}

/** Whether a job has not finished. */
export function isLive({ gone, finishedAt }: ModelJob): boolean {
  return !gone && finishedAt === null
}

/** What the code declares now of a queue. */
export function releaseOf({ releases }: State, queue: string): Release {
  return releases[queue] ?? FIRST_RELEASE
}

/** The jobs of a queue that something chooses. */
export function choose({ jobs }: State, queue: string, chosen: Chosen = {}): ModelJob[] {
  const { state, key, group, tags = [], data } = chosen
  return jobs.filter(
    (job) =>
      job.queue === queue &&
      !job.gone &&
      (state === undefined ||
        job.state === state ||
        job.waitsFor === { scheduled: 'time', blocked: 'jobs' }[state as string]) &&
      (key === undefined || job.key === key) &&
      (group === undefined || job.group === group) &&
      tags.every((tag) => job.tags.includes(tag)) &&
      (data === undefined || (job.data as { v?: number }).v === data.v),
  )
}

/** The order of taking: the most urgent first, then what was to run first, then what was added first. */
export function byUrgency(left: ModelJob, right: ModelJob): number {
  return right.priority - left.priority || left.runAt - right.runAt || left.n - right.n
}

/** By what those that were taken or have finished are listed: of several of one step the order hangs on parts of a second. */
export function momentOf({ state, leaseUntil, finishedAt }: ModelJob): number {
  return state === 'active' ? leaseUntil : (finishedAt ?? Number.NaN)
}

/** Jobs in the order of a list. */
export function listed(jobs: readonly ModelJob[]): ModelJob[] {
  const byTime = (time: (job: ModelJob) => number) => (left: ModelJob, right: ModelJob) =>
    time(left) - time(right) || right.priority - left.priority || left.n - right.n
  return [
    ...jobs.filter(({ waitsFor }) => waitsFor === 'worker').sort(byUrgency),
    ...jobs.filter(({ waitsFor }) => waitsFor === 'time').sort(byTime(({ dueAt }) => dueAt)),
    ...jobs.filter(({ waitsFor }) => waitsFor === 'jobs').sort(byTime(({ dueAt }) => dueAt)),
    ...jobs
      .filter(({ state }) => state === 'active')
      .sort((one, other) => momentOf(one) - momentOf(other) || one.n - other.n),
    ...jobs.filter((job) => !isLive(job)).sort((one, other) => momentOf(other) - momentOf(one) || one.n - other.n),
  ]
}
