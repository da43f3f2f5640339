import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import type { EnqueueOptions, Handler, Job, JobStateFilter, Queue } from '../queue/index.ts'

/** Part of a value: what is named must be equal, objects only as far as they are named. A function says itself whether it will do. */
export type Expected<T> =
  | ((value: T) => boolean)
  | (T extends readonly unknown[] | Date
      ? T
      : T extends object
        ? { readonly [Name in keyof T]?: Expected<T[Name]> }
        : T)

/** A job as far as it matters to a test. */
export interface ExpectedJob<Data> {
  /** The payload, as far as it matters. */
  readonly data?: Expected<Data>
  /** `scheduled` stands for a job that waits for its time, `blocked` for one that waits for other jobs, as in `list`. */
  readonly state?: Expected<Job['state']> | JobStateFilter
  readonly waitsFor?: Expected<Job['waitsFor']>
  readonly priority?: Expected<number>
  readonly runAt?: Expected<Date>
  readonly key?: Expected<string | null>
  readonly group?: Expected<string | null>
  readonly maxAttempts?: Expected<number>
}

/** The most jobs that are looked at. */
const MOST = 10_000

/**
 * Makes sure that a job was enqueued, and gives it: the first that fits among those that wait or run.
 *
 * @throws AssertionError listing the jobs that there are.
 *
 * @example
 * ```ts
 * await signUp(storage, 'kim@example.org')
 * await expectEnqueued(storage.queue('mail'), { data: { to: 'kim@example.org' }, priority: 5 })
 * ```
 */
export async function expectEnqueued<Data, Input, Tx, Result, ResultInput>(
  queue: Queue<Data, Input, Tx, Result, ResultInput>,
  expected: ExpectedJob<Data> = {},
): Promise<Job<Data, Result>> {
  const jobs = await liveJobs(queue)
  const found = jobs.find(fitting(expected))
  if (found !== undefined) return found
  const what = Object.keys(expected).length === 0 ? 'No job' : 'No such job'
  throw new AssertionError({
    message: `${what} of ${queue.name} was enqueued; there ${listed(jobs)}`,
    expected,
    actual: jobs.map((job) => partOf(job, expected)),
    operator: 'expectEnqueued',
  })
}

/**
 * Makes sure that no such job was enqueued: none at all unless something is expected of it. Jobs that have finished do not count.
 *
 * @throws AssertionError listing those there are.
 *
 * @example
 * ```ts
 * await expectNotEnqueued(storage.queue('mail'), { data: { to: 'kim@example.org' } })
 * ```
 */
export async function expectNotEnqueued<Data, Input, Tx, Result, ResultInput>(
  queue: Queue<Data, Input, Tx, Result, ResultInput>,
  expected: ExpectedJob<Data> = {},
): Promise<void> {
  const found = (await liveJobs(queue)).filter(fitting(expected))
  if (found.length === 0) return
  throw new AssertionError({
    message: `Jobs of ${queue.name} were enqueued that should not be: there ${listed(found)}`,
    expected: [],
    actual: found.map((job) => partOf(job, expected)),
    operator: 'expectNotEnqueued',
  })
}

/**
 * Enqueues a job and runs a handler with it as a worker would, its transaction and the checks of its payload and result included; gives the
 * job as it is then: completed, put off or cancelled. Other jobs of the queue that are due are run too.
 *
 * @throws what went wrong when the attempt failed: an `AssertionError` with the job's error.
 *
 * @example
 * ```ts
 * const { result } = await runJob(storage.queue('resize'), resize, { url: 'https://example.org/a.png' })
 * expect(result).toEqual({ bytes: 8_000 })
 * ```
 */
export async function runJob<Data, Input, Tx, Result, ResultInput>(
  queue: Queue<Data, Input, Tx, Result, ResultInput>,
  handler: Handler<Data, Tx, ResultInput>,
  data: Input,
  options: EnqueueOptions = {},
): Promise<Job<Data, Result>> {
  const { id } = await queue.enqueue(data, options)
  const errors: unknown[] = []
  const worker = queue.worker(handler)
  worker.on('failed', (job, error) => {
    if (job.id === id) errors.push(error)
  })
  await worker.drain()
  const job = (await queue.get(id)) as Job<Data, Result>
  if (errors.length === 0) return job
  const message = `The job of ${queue.name} failed: ${job.errors.at(-1)?.message}`
  throw Object.assign(new AssertionError({ message, actual: job.state, expected: 'completed' }), {
    cause: errors.at(-1),
  })
}

async function liveJobs<Data, Input, Tx, Result, ResultInput>(
  queue: Queue<Data, Input, Tx, Result, ResultInput>,
): Promise<Job<Data, Result>[]> {
  return (await queue.list({ limit: MOST })).filter(({ finishedAt }) => finishedAt === null)
}

/** Whether jobs are as expected. */
function fitting<Data>(expected: ExpectedJob<Data>): (job: Job<Data>) => boolean {
  const { state, ...others } = expected
  if (state === 'scheduled') return fitting({ waitsFor: 'time', ...others })
  if (state === 'blocked') return fitting({ waitsFor: 'jobs', ...others })
  return (job) => fits(expected, job)
}

function fits(expected: unknown, actual: unknown): boolean {
  if (typeof expected === 'function') return expected(actual) === true
  if (!isPlain(expected)) return isDeepStrictEqual(actual, expected)
  if (typeof actual !== 'object' || actual === null) return false
  return Object.entries(expected).every(([name, part]) => fits(part, (actual as Record<string, unknown>)[name]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function partOf(job: object, expected: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, (job as Record<string, unknown>)[name]]))
}

/** How many jobs a message tells of. */
const TOLD = 20

function listed(jobs: readonly Job[]): string {
  if (jobs.length === 0) return 'are none.'
  const lines = jobs.slice(0, TOLD).map(({ state, waitsFor, data, priority, key, group }) => {
    const marks = {
      ...(waitsFor !== null && waitsFor !== 'worker' && { waitsFor }),
      ...(priority !== 0 && { priority }),
      ...(key !== null && { key }),
      ...(group !== null && { group }),
    }
    return `  ${state} ${JSON.stringify(data)}${Object.keys(marks).length === 0 ? '' : ` ${JSON.stringify(marks)}`}`
  })
  const more = jobs.length > TOLD ? [`  and ${jobs.length - TOLD} more`] : []
  return `${jobs.length === 1 ? 'is' : 'are'}:\n${[...lines, ...more].join('\n')}`
}
