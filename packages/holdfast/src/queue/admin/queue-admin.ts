import type { Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkKnown, checkMs, checkName, type QueueDeclaration } from '../../schema/index.ts'
import { checkCall } from '../job/check-call.ts'
import { countJobs, findJob, type ListOptions, listJobs, type QueueStats } from '../job/find.ts'
import type { Job } from '../job/job.ts'
import { isJobId } from '../job/job-id.ts'
import { type JobPage, type JobPageOptions, pageOfJobs } from '../job/page.ts'
import type { QueueScope } from '../job/scope.ts'
import { controlTopicOf } from '../job/topics.ts'
import { pause, resume } from '../limits/pauses.ts'
import { type CancelFilter, cancelChosen, cancelJobs } from './cancel.ts'
import { latencyOf } from './latency.ts'
import { prune } from './prune.ts'
import { type PurgeOptions, purge } from './purge.ts'
import { type RescheduleOptions, rescheduleJob } from './reschedule.ts'
import { type RetryFilter, retryChosen, retryJobs } from './retry-jobs.ts'
import { updatePayload } from './update-payload.ts'

/** How a queue is paused. */
export interface PauseOptions {
  /** For so many milliseconds; until `resume` unless given. */
  readonly forMs?: number
}

/** A queue as those have it who look after it: its jobs to see, to stop, to try again and to forget. Made as a `Queue`, which does the rest. */
export class QueueAdmin<Data = unknown, Result = unknown> {
  readonly name: string
  protected readonly session: Session
  readonly #declarationOf: (queue: string) => QueueDeclaration | undefined

  constructor(session: Session, name: string, declarationOf: (queue: string) => QueueDeclaration | undefined) {
    const issues: Issue[] = []
    checkName(name, 'name', issues)
    if (issues.length > 0) throw new ValidationError('A queue was refused', issues)
    this.name = name
    this.session = session
    this.#declarationOf = declarationOf
  }

  /**
   * The job, whether it is live or finished; null where there is none.
   *
   * @example
   * ```ts
   * const found = await storage.queue('mail').get(id)
   * if (found?.state === 'failed') console.log(found.errors)
   * ```
   */
  async get(id: string): Promise<Job<Data, Result> | null> {
    checkCall(this.name, (issues) => checkName(id, 'id', issues))
    return findJob(this.session, this.name, id) as Promise<Job<Data, Result> | null>
  }

  /**
   * Jobs of a state (of every state unless given): those that can be taken in the order of taking, those that wait for their time or for other
   * jobs and those that run by when something is due about them, finished ones latest first. Chosen by their group or by what is in their
   * payload, too.
   *
   * @throws ValidationError for an unknown option, and a path that no payload can have.
   *
   * @example
   * ```ts
   * const failed = await storage.queue('mail').list({ state: 'failed', data: { to: 'kim@example.org' } })
   * ```
   */
  list(options: ListOptions<Data> = {}): Promise<Job<Data, Result>[]> {
    return listJobs(this.session, this.name, options) as Promise<Job<Data, Result>[]>
  }

  /**
   * A page of jobs in the order of `list`. Jobs that go from one state to another while pages are read can be met twice, or not at all.
   *
   * @throws ValidationError for an unknown option.
   *
   * @example
   * ```ts
   * const { items, next } = await storage.queue('mail').page({ state: 'failed', first: 50, after })
   * ```
   */
  page(options: JobPageOptions<Data> = {}): Promise<JobPage<Data, Result>> {
    return pageOfJobs(this.session, this.name, options) as Promise<JobPage<Data, Result>>
  }

  /**
   * How many jobs are in each state; of those that wait also how many wait for their time, and how many for other jobs.
   *
   * @example
   * ```ts
   * const { waiting, active, failed } = await storage.queue('mail').stats()
   * ```
   */
  stats(): Promise<QueueStats> {
    return countJobs(this.session, this.name)
  }

  /**
   * For how long, in milliseconds, the job has waited past its time that has waited longest of those that can be taken; 0 where none waits. What
   * tells that there are too few workers, or none.
   *
   * @example
   * ```ts
   * if ((await storage.queue('mail').latency()) > 60_000) console.warn('mail is late')
   * ```
   */
  latency(): Promise<number> {
    return latencyOf(this.session, this.name)
  }

  /**
   * Ends a job that has not finished; the signal of a handler that runs with it aborts. Whether there was one.
   *
   * @example
   * ```ts
   * if (!(await storage.queue('mail').cancel(id))) console.log('it has finished already')
   * ```
   */
  async cancel(id: string): Promise<boolean> {
    checkCall(this.name, (issues) => checkName(id, 'id', issues))
    return isJobId(id) && (await cancelJobs(this.scope, [id])) > 0
  }

  /**
   * Ends jobs that have not finished, as `cancel` does; gives their number.
   *
   * @example
   * ```ts
   * await storage.queue('mail').cancelMany({ group: `customer ${id}` })
   * await storage.queue('execute').cancelMany({ state: 'waiting', data: { planId } })
   * ```
   */
  cancelMany(filter: CancelFilter<Data> = {}): Promise<number> {
    return cancelChosen(this.scope, filter)
  }

  /**
   * Changes when a job runs, or how urgent it is, unless it runs already. Whether there was such a job.
   *
   * @throws ValidationError for unknown options, or without any.
   *
   * @example
   * ```ts
   * await storage.queue('mail').reschedule(job.id, { delayMs: 0, priority: 10 })
   * ```
   */
  async reschedule(id: string, options: RescheduleOptions): Promise<boolean> {
    checkCall(this.name, (issues) => checkName(id, 'id', issues))
    return rescheduleJob(this.scope, id, options)
  }

  /**
   * Gives a job another payload, unless it runs already. What its steps came to so far stays. Whether there was such a job.
   *
   * @throws ValidationError for a payload that the queue does not take.
   *
   * @example
   * ```ts
   * if (!(await storage.queue('mail').updateData(job.id, { to: 'kim@example.org' }))) console.log('too late')
   * ```
   */
  async updateData(id: string, data: Data): Promise<boolean> {
    checkCall(this.name, (issues) => checkName(id, 'id', issues))
    return updatePayload(this.scope, id, data)
  }

  /**
   * Queues a failed or cancelled job again, with all its attempts. Whether there was one.
   *
   * @example
   * ```ts
   * await storage.queue('mail').retry(id)
   * ```
   */
  async retry(id: string): Promise<boolean> {
    checkCall(this.name, (issues) => checkName(id, 'id', issues))
    return (await retryJobs(this.scope, { ids: [id] })) > 0
  }

  /**
   * Queues failed jobs (or cancelled ones) again, with all their attempts; gives their number.
   *
   * @example
   * ```ts
   * await storage.queue('mail').retryMany({ after: new Date('2026-05-01T12:00:00Z'), data: { provider: 'acme' } })
   * ```
   */
  retryMany(filter: RetryFilter<Data> = {}): Promise<number> {
    return retryChosen(this.scope, filter)
  }

  /**
   * Lets nobody take jobs of this queue, in any process, until `resume`, or for so long; jobs that run go on. A pause that lasts longer already
   * is not made shorter.
   *
   * @throws ValidationError for an unknown option.
   *
   * @example
   * ```ts
   * await storage.queue('mail').pause()
   * await storage.queue('fetch').pause({ forMs: 60_000 })
   * ```
   */
  async pause(options: PauseOptions = {}): Promise<void> {
    checkCall(this.name, (issues) => {
      checkKnown(options, ['forMs'], '', issues)
      if (options?.forMs !== undefined) checkMs(options.forMs, 1, 'forMs', issues)
    })
    await pause(this.session, this.name, options.forMs)
    this.session.notify(controlTopicOf(this.name))
  }

  /** Ends `pause`. */
  async resume(): Promise<void> {
    await resume(this.session, this.name)
    this.session.notify(controlTopicOf(this.name))
  }

  /** Forgets the finished jobs that the queue does not keep any longer; gives their number. Workers do so once a minute. */
  prune(): Promise<number> {
    return prune(this.scope)
  }

  /**
   * Forgets finished jobs, of a state, before a time and with such a payload where given; gives their number.
   *
   * @example
   * ```ts
   * await storage.queue('mail').purge({ state: 'completed', before: lastMonth })
   * ```
   */
  purge(options: PurgeOptions<Data> = {}): Promise<number> {
    return purge(this.session, this.name, options)
  }

  protected get declaration(): QueueDeclaration | undefined {
    return this.#declarationOf(this.name)
  }

  protected get scope(): QueueScope {
    const declarationOf = this.#declarationOf
    return { session: this.session, queue: this.name, declaration: this.declaration, declarationOf }
  }
}
