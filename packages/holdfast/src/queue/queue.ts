import type { Session } from '../backend/index.ts'
import { ConfigurationError, ValidationError } from '../base/errors.ts'
import { checkMs, checkName, describe, type QueueDeclaration } from '../schema/index.ts'
import { QueueAdmin } from './admin/queue-admin.ts'
import { type DequeueOptions, dequeue } from './claim/dequeue.ts'
import { extendLeases, leaseOf } from './claim/leases.ts'
import { enqueueAll } from './enqueue/enqueue.ts'
import { failAttempt, finish, leaseLost } from './finish/finish.ts'
import { heldJob, type JobOrId } from './finish/held.ts'
import { type WaitOptions, waitForEnd } from './finish/wait-for.ts'
import { type JobWatchOptions, watchJob } from './finish/watch-job.ts'
import type { EnqueueOptions } from './job/accept-job.ts'
import { checkCall } from './job/check-call.ts'
import type { Job } from './job/job.ts'
import { acceptResult } from './job/payload.ts'
import type { ScheduleOptions } from './schedule/accept-schedule.ts'
import type { ScheduleInterval } from './schedule/interval.ts'
import { listSchedules, putSchedule, removeSchedule, type Schedule } from './schedule/schedules.ts'
import { drainLikeLast, rememberWorker } from './work/draining.ts'
import { type Handler, type ManyHandler, storableJson } from './work/handler.ts'
import type { WorkerHost } from './work/host.ts'
import type { WorkManyOptions, WorkOptions } from './work/work-options.ts'
import { Worker } from './work/worker.ts'

/**
 * A durable job queue. Made by `storage.queue(name)`; `tx.queue(name)` does the same inside a transaction, so that a job exists exactly when
 * its data does.
 */
export class Queue<
  Data = unknown,
  Input = Data,
  Tx = unknown,
  Result = unknown,
  ResultInput = Result,
> extends QueueAdmin<Data, Result> {
  readonly #workers: WorkerHost<Tx> | undefined

  constructor(
    session: Session,
    name: string,
    declarationOf: (queue: string) => QueueDeclaration | undefined,
    workers: WorkerHost<Tx> | undefined,
  ) {
    super(session, name, declarationOf)
    this.#workers = workers
  }

  /**
   * Adds a job. While a live job has the same `key`, that one is given back and nothing is added.
   *
   * @throws ValidationError when the payload or an option is refused.
   *
   * @example
   * ```ts
   * await storage.queue('mail').enqueue({ to: 'kim' }, { delayMs: 60_000, key: 'welcome kim' })
   * ```
   */
  async enqueue(data: Input, options: EnqueueOptions = {}): Promise<Job<Data, Result>> {
    const entries = [{ data, options, path: '' }]
    const [job] = await enqueueAll(this.session, this.name, this.declaration, entries)
    return job as Job<Data, Result>
  }

  /**
   * Adds many jobs in one statement, all or none.
   *
   * @example
   * ```ts
   * await storage.queue('mail').enqueueMany([{ data: { to: 'kim' } }, { data: { to: 'lee' }, priority: 10 }])
   * ```
   */
  async enqueueMany(jobs: readonly ({ readonly data: Input } & EnqueueOptions)[]): Promise<Job<Data, Result>[]> {
    checkCall(this.name, (issues) => {
      if (!Array.isArray(jobs)) issues.push({ path: 'jobs', reason: `must be a list, got ${describe(jobs)}` })
      else
        for (const [index, job] of jobs.entries())
          if (typeof job !== 'object' || job === null)
            issues.push({ path: String(index), reason: `must be an object, got ${describe(job)}` })
    })
    const entries = jobs.map(({ data, ...options }, index) => ({ data, options, path: String(index) }))
    return (await enqueueAll(this.session, this.name, this.declaration, entries)) as Job<Data, Result>[]
  }

  /**
   * Takes the most urgent job that is due, or null. It is this caller's for `leaseMs` (30 s); then another may take it. Jobs whose payload the
   * queue's schema refuses fail on the way.
   *
   * @example
   * ```ts
   * const job = await mail.dequeue({ leaseMs: 60_000 })
   * if (job !== null) await send(job.data).then((id) => mail.acknowledge(job, { id }), (error) => mail.fail(job, error))
   * ```
   */
  async dequeue(options: DequeueOptions = {}): Promise<Job<Data, Result> | null> {
    return (await this.dequeueMany(1, options))[0] ?? null
  }

  /**
   * Takes up to `count` jobs in one statement.
   *
   * @example
   * ```ts
   * for (const job of await storage.queue('mail').dequeueMany(10)) await storage.queue('mail').acknowledge(job)
   * ```
   */
  async dequeueMany(count: number, options: DequeueOptions = {}): Promise<Job<Data, Result>[]> {
    return (await dequeue(this.scope, count, options)) as Job<Data, Result>[]
  }

  /**
   * Ends a job well.
   *
   * @throws LeaseLostError when the lease ran out and somebody else has the job; NotFoundError for an id that is not live; ValidationError
   *   for a result that the queue's schema of results refuses.
   *
   * @example
   * ```ts
   * await mail.acknowledge(job, { messageId })
   * ```
   */
  async acknowledge(jobOrId: JobOrId, result?: ResultInput): Promise<void> {
    const job = await this.#held(jobOrId)
    const accepted = storableJson(
      acceptResult(this.declaration, this.name, result),
      'result',
      (issues) => new ValidationError(`The result of a job of ${this.name} was refused`, issues),
    )
    const done = await finish(this.scope, [{ job, state: 'completed', result: accepted }])
    if (!done.has(job.id)) throw leaseLost(job)
  }

  /**
   * Ends an attempt badly: the job runs again after a growing pause, or has failed for good when no attempts are left or `retry` is false.
   *
   * @throws LeaseLostError; NotFoundError.
   *
   * @example
   * ```ts
   * await mail.fail(job, new Error('the address does not exist'), false)
   * ```
   */
  async fail(jobOrId: JobOrId, error: unknown, retry = true): Promise<void> {
    await failAttempt(this.scope, await this.#held(jobOrId), error, retry)
  }

  /**
   * Keeps a job for so many milliseconds from now.
   *
   * @throws LeaseLostError; NotFoundError.
   *
   * @example
   * ```ts
   * await mail.extend(job, 60_000) // it takes longer than thought
   * ```
   */
  async extend(jobOrId: JobOrId, leaseMs: number): Promise<void> {
    checkCall(this.name, (issues) => checkMs(leaseMs, 1, 'leaseMs', issues))
    const job = await this.#held(jobOrId)
    if (!(await extendLeases(this.session, [job], leaseMs)).has(leaseOf(job))) throw leaseLost(job)
  }

  /**
   * Waits until a job has finished, and gives it: completed, failed or cancelled.
   *
   * @throws NotFoundError when there is none (any more); TimeoutError when it takes longer than `timeoutMs`; what `signal`
   *   was aborted with; ConfigurationError inside a transaction.
   *
   * @example
   * ```ts
   * const { state, result } = await storage.queue('render').waitFor(job, { timeoutMs: 60_000, signal })
   * ```
   */
  async waitFor(jobOrId: JobOrId, options: WaitOptions = {}): Promise<Job<Data, Result>> {
    return waitForEnd(this.scope, this.#idOf(jobOrId), options) as Promise<Job<Data, Result>>
  }

  /**
   * Follows a job, from whatever process: gives it at once, then whenever its state, its progress or anything else of it has changed, until it
   * has finished. While the loop is busy changes are passed over; it is always given the newest. Abort `signal` to end it while it waits.
   *
   * @throws NotFoundError, when it is looped over, where there is no such job (any more); ConfigurationError inside a transaction;
   *   ValidationError for an unknown option.
   *
   * @example
   * ```ts
   * for await (const { state, progress } of storage.queue('render').watch(id, { signal })) {
   *   response.write(`data: ${JSON.stringify({ state, progress })}\n\n`)
   * }
   * ```
   */
  watch(jobOrId: JobOrId, options: JobWatchOptions = {}): AsyncGenerator<Job<Data, Result>, void, undefined> {
    return watchJob(this.scope, this.#workers, this.#idOf(jobOrId), options) as ReturnType<typeof this.watch>
  }

  /**
   * Makes a job at every tick of a cron expression or of an interval, or changes the schedule of that name. Each tick makes one job, however many processes
   * have a worker of the queue; without any, ticks wait and `catchUp` says what becomes of them. The job's `runAt` is the tick.
   *
   * @param when `minute hour day month weekday`, with seconds first where there are six fields, or a name such as `@daily`; or
   *   `{ everyMs }`, whose ticks are counted from when the schedule was first declared so, and stay the same when processes start again.
   * @param data the payload of each job: JSON that the queue's schema takes.
   * @throws ValidationError for an invalid expression, interval, zone, payload or option.
   *
   * @example
   * ```ts
   * await storage.queue('report').schedule('nightly', '0 2 * * *', { kind: 'daily' }, { timezone: 'Europe/Berlin' })
   * await storage.queue('poll').schedule('news', { everyMs: 30_000 }, { feed: 'news' })
   * ```
   */
  schedule(
    name: string,
    when: string | ScheduleInterval,
    data: Input,
    options: ScheduleOptions = {},
  ): Promise<Schedule<Data>> {
    return putSchedule(this.session, this.name, this.declaration, name, when, data, options) as Promise<Schedule<Data>>
  }

  /**
   * Takes a schedule away; jobs that it made stay. Whether there was one.
   *
   * @example
   * ```ts
   * await storage.queue('report').unschedule('nightly')
   * ```
   */
  unschedule(name: string): Promise<boolean> {
    return removeSchedule(this.session, this.name, name)
  }

  /** The schedules of this queue, by name. */
  schedules(): Promise<Schedule<Data>[]> {
    return listSchedules(this.session, this.name) as Promise<Schedule<Data>[]>
  }

  /**
   * Starts a worker. It takes jobs as they come and runs the handler with them, up to `concurrency` at once. A job whose handler returns is
   * completed, one whose handler throws is tried again.
   *
   * @throws ConfigurationError inside a transaction.
   *
   * @example
   * ```ts
   * const worker = storage.queue('mail').work(async (job, { tx, signal }) => {
   *   await send(job.data, { signal })
   *   await tx.repository('sent').create({ to: job.data.to })
   * }, { concurrency: 4 })
   * await worker.stop()
   * ```
   */
  work(handler: Handler<Data, Tx, ResultInput>, options: WorkOptions = {}): Worker<Data, Result> {
    const worker = this.worker(handler, options)
    worker.start()
    return worker
  }

  /** Makes a worker that was not started: `work` without its beginning. */
  worker(handler: Handler<Data, Tx, ResultInput>, options: WorkOptions = {}): Worker<Data, Result> {
    return this.#worker((host) => Worker.of(this.scope, host, handler as Handler<unknown, unknown>, options))
  }

  /**
   * Starts a worker whose handler takes many jobs at once: for what is cheaper together, such as writing to a search index. It gives what
   * becomes of each job, in their order: a result, `snooze` or `discard`, an error for an attempt that failed, or a promise of those; nothing
   * at all when they are all done. When it throws, the attempts of all have failed. Its `tx` takes in what becomes of all of them.
   *
   * @throws ConfigurationError inside a transaction; ValidationError for an unknown option.
   *
   * @example
   * ```ts
   * storage.queue('index').workMany(async (jobs) => {
   *   const answers = await search.bulk(jobs.map(({ data }) => data))
   *   return answers.map(({ error, id }) => (error === undefined ? { id } : new Error(error)))
   * }, { batch: 500, waitMs: 200 })
   * ```
   */
  workMany(handler: ManyHandler<Data, Tx, ResultInput>, options: WorkManyOptions = {}): Worker<Data, Result> {
    const worker = this.manyWorker(handler, options)
    worker.start()
    return worker
  }

  /** Makes a worker that was not started: `workMany` without its beginning. */
  manyWorker(handler: ManyHandler<Data, Tx, ResultInput>, options: WorkManyOptions = {}): Worker<Data, Result> {
    return this.#worker((host) => Worker.ofMany(this.scope, host, handler as ManyHandler<unknown, unknown>, options))
  }

  /**
   * Runs what is due until nothing is, and gives how many attempts were made. For tests and scripts: with the handler given, or else with that
   * of the worker of this queue that was started last, and its options. Then it waits until the workers of this queue that run on this storage
   * have written down what they ran, too, and counts their attempts that ended meanwhile; a handler of the queue cannot wait for that.
   *
   * @throws ConfigurationError without a handler where no worker was started; inside a transaction.
   *
   * @example
   * ```ts
   * const attempts = await storage.queue('mail').drain(async (job) => send(job.data))
   * ```
   */
  async drain(handler?: Handler<Data, Tx, ResultInput>): Promise<number> {
    return handler === undefined ? drainLikeLast(this.#host, this.name) : this.worker(handler).drain()
  }

  /** Makes a worker, and remembers how to make one for `drain`. */
  #worker(make: (host: WorkerHost<unknown>) => Worker<Data, Result>): Worker<Data, Result> {
    const host = this.#host
    const worker = make(host)
    rememberWorker(host, this.name, () => make(host))
    return worker
  }

  get #host(): WorkerHost<Tx> {
    if (this.#workers !== undefined) return this.#workers
    throw new ConfigurationError('A worker cannot be started inside a transaction.', {
      code: 'TRANSACTION_MISUSE',
      hint: 'Use storage.queue(…).work(…) outside of it.',
    })
  }

  #idOf(jobOrId: JobOrId): string {
    const id = typeof jobOrId === 'string' ? jobOrId : jobOrId?.id
    checkCall(this.name, (issues) => checkName(id, 'id', issues))
    return id
  }

  #held(jobOrId: JobOrId): Promise<Job> {
    return heldJob(this.session, this.name, jobOrId)
  }
}
