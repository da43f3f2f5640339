import { EventEmitter } from 'node:events'
import { ValidationError } from '../../base/errors.ts'
import { describe } from '../../schema/index.ts'
import { prune } from '../admin/prune.ts'
import { claim, makeReady } from '../claim/claim.ts'
import { LaterVersions } from '../claim/later-versions.ts'
import { cancelledAmong } from '../finish/cancelled.ts'
import { Completions } from '../finish/completions.ts'
import { failAttempt, isTriedAgain, snoozeJob } from '../finish/finish.ts'
import type { Finishing } from '../finish/finishing.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { timerMs } from '../job/timer.ts'
import { controlTopicOf, followUpTopicOf, topicOf } from '../job/topics.ts'
import { Ticker } from '../schedule/ticker.ts'
import { fireTicks } from '../schedule/ticks.ts'
import { Alarm } from './alarm.ts'
import { Attempts, type Ending, type Jobs, type Runner } from './attempt.ts'
import { allAtOnce, oneByOne } from './batch-handlers.ts'
import { Caution } from './caution.ts'
import { type Handler, type ManyHandler, surround } from './handler.ts'
import { HeldJobs } from './held-jobs.ts'
import type { WorkerHost } from './host.ts'
import { ABORT_GRACE_MS, type Interruption } from './interruption.ts'
import { ManyAttempts } from './many-attempts.ts'
import { TransactionBatch } from './transaction-batch.ts'
import {
  type WorkManyOptions,
  type WorkOptions,
  type WorkSettings,
  workManySettings,
  workSettings,
} from './work-options.ts'

/** What a worker tells of; what a listener throws is reported to `onError`. */
export interface WorkerEvents<Data = unknown, Result = unknown> {
  /** A handler begins. Not told in `transaction` mode, where it may begin several times. */
  started: [job: Job<Data, Result>]
  completed: [job: Job<Data, Result>, result: Result]
  /** An attempt failed; with `final` the job has failed for good. */
  failed: [job: Job<Data, Result>, error: unknown, final: boolean]
  /** The job was put off by its handler. */
  snoozed: [job: Job<Data, Result>, ms: number]
  /** The lease ran out, or the job was cancelled, while its handler ran. The former is told as an error when nobody listens. */
  lost: [job: Job<Data, Result>]
}

const DEFAULT_STOP_MS = 30_000
const STOPPED = 'The worker was stopped.'
/** How long a worker waits after something went wrong outside of a handler. */
const ERROR_PAUSE_MS = 250
/** Handlers that take longer than this are not quick: no more jobs are taken for them than can begin at once. */
const QUICK_MS = 20
/** Between two times of pruning. */
const PRUNE_MS = 60_000

/**
 * Takes jobs and runs a handler with them. Made by `queue.work`.
 *
 * ```
 *   looking ──(jobs)──▶ taken ──(a handler is free)──▶ running ──▶ written down
 *    │ ▲                  └──(none is for long)──▶ handed back
 *    ▼ │ (woken, polled, a handler is free)
 *   asleep ──stop──▶ stopping ──(handlers settled, or time is up)──▶ stopped
 * ```
 */
export class Worker<Data = unknown, Result = unknown> extends EventEmitter<WorkerEvents<Data, Result>> {
  readonly #host: WorkerHost<unknown>
  readonly #scope: QueueScope
  readonly #settings: WorkSettings
  readonly #held: HeldJobs
  readonly #runner: Runner
  readonly #completions: Completions
  /** In `transaction` mode. */
  readonly #transactions: TransactionBatch | undefined
  readonly #caution: Caution
  readonly #laterVersions: LaterVersions
  readonly #alarm: Alarm
  /** How many handlers run. */
  #busy = 0
  /** How long handlers take, roughly; at first nobody knows. */
  #usualMs = Number.POSITIVE_INFINITY
  /** How long jobs wait here for others to be started with. */
  #waitMs: number
  /** Since when jobs wait here for others to be started with. */
  #waitedSince: number | undefined
  #stopping = false
  #paused = false
  #looping: Promise<void> = Promise.resolve()
  #wake: () => void = () => undefined
  #readyAt = Number.NEGATIVE_INFINITY
  #prunedAt = performance.now() - Math.random() * PRUNE_MS
  #ticker: Ticker | undefined
  #subscriptions: readonly (() => Promise<void>)[] = []
  #unregister: () => void = () => undefined

  private constructor(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    settings: WorkSettings,
    runner: Runner,
    transactions?: TransactionBatch,
  ) {
    super()
    this.#scope = scope
    this.#host = host
    this.#settings = settings
    this.#held = new HeldJobs(scope.session, settings.leaseMs)
    this.#runner = runner
    this.#waitMs = settings.waitMs
    this.#completions = new Completions(scope, Math.max(settings.batch, settings.concurrency), (one, error) =>
      this.#completed(one, error),
    )
    this.#transactions = transactions
    this.#caution = new Caution(scope, settings.leaseMs, settings.batch)
    this.#laterVersions = new LaterVersions(scope)
    this.#alarm = new Alarm(scope, settings.pollMs, () => this.#lookAgain())
  }

  /**
   * A worker whose handler takes one job at a time.
   *
   * @throws ValidationError for an option that is none.
   */
  static of<Data, Result>(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    handler: Handler<unknown, unknown>,
    options: WorkOptions = {},
  ): Worker<Data, Result> {
    const settings = workSettings(scope.queue, handler, options)
    const surrounded = surround(handler, options.middleware ?? [])
    const isTransaction = settings.mode === 'transaction'
    const transactions = isTransaction ? new TransactionBatch(scope, oneByOne(scope, host, surrounded)) : undefined
    return new Worker(scope, host, settings, new Attempts(scope, host, surrounded), transactions)
  }

  /**
   * A worker whose handler takes many jobs at a time.
   *
   * @throws ValidationError for an option that is none.
   */
  static ofMany<Data, Result>(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    handler: ManyHandler<unknown, unknown>,
    options: WorkManyOptions = {},
  ): Worker<Data, Result> {
    const settings = workManySettings(scope.queue, handler, options)
    const surrounded = surround(handler, options.middleware ?? []) as ManyHandler<unknown, unknown>
    const isTransaction = settings.mode === 'transaction'
    const transactions = isTransaction ? new TransactionBatch(scope, allAtOnce(scope, host, surrounded)) : undefined
    return new Worker(scope, host, settings, new ManyAttempts(scope, host, surrounded, settings.batch), transactions)
  }

  /** Begins to look for jobs. */
  start(): void {
    // At once and until it has stopped, so that a storage that is closed meanwhile waits for it.
    this.#unregister = this.#host.started(this)
    this.#held.keepAlive((error) => this.#report(error))
    this.#ticker = new Ticker(this.#scope, this.#settings.pollMs, (error) => this.#report(error))
    this.#looping = this.#loop()
  }

  /**
   * Takes no more jobs, hands back those that were not started, and waits for those that run; after `timeoutMs` (30 s) their signals abort.
   */
  async stop({ timeoutMs = DEFAULT_STOP_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      const reason = `must be a number from 0 on, got ${describe(timeoutMs)}`
      throw new ValidationError(`A worker of the queue ${this.#scope.queue} was not stopped`, [
        { path: 'timeoutMs', reason },
      ])
    }
    const started = performance.now()
    this.#stopping = true
    this.#wake()
    await this.#ticker?.stop()
    const timer = setTimeout(() => this.#transactions?.abort(new Error(STOPPED)), timerMs(timeoutMs))
    await this.#looping
    this.#alarm.stop()
    clearTimeout(timer)
    // Should it fail, they keep their lease until it runs out, and are then taken by somebody else.
    await this.#held.handBack().catch((error: unknown) => this.#report(error))
    if (!(await this.#held.empty(Math.max(0, timeoutMs - (performance.now() - started))))) {
      this.#held.abort(new Error(STOPPED))
      // Those that are given up are still to be written down.
      await this.#held.empty(2 * ABORT_GRACE_MS)
    }
    this.#held.stop()
    await this.#caution.end().catch((error: unknown) => this.#report(error))
    await Promise.all(this.#subscriptions.map((unsubscribe) => unsubscribe()))
    this.#unregister()
  }

  /** Runs what is due until nothing is; gives the number of attempts. */
  async drain(): Promise<number> {
    this.#waitMs = 0
    this.#held.keepAlive((error) => this.#report(error))
    try {
      for (let attempts = 0; ; ) {
        await fireTicks(this.#scope)
        await this.#lookForLost()
        const taken = (await makeReady(this.#scope)) ? await this.#drainBatch() : 0
        if (taken === 0) return attempts
        attempts += taken
      }
    } finally {
      this.#held.stop()
      await this.#caution.end()
    }
  }

  async #drainBatch(): Promise<number> {
    const taken =
      this.#transactions === undefined
        ? await this.#take(this.#settings.batch)
        : await this.#workInTransaction(this.#transactions)
    this.#startJobs()
    await this.#held.empty()
    return taken
  }

  async #loop(): Promise<void> {
    const { session, queue } = this.#scope
    this.#subscriptions = [
      await session.wake(topicOf(queue), () => this.#wake()),
      await session.wake(controlTopicOf(queue), () => void this.#heed()),
      await session.wake(followUpTopicOf(queue), () => this.#lookAgain()),
    ]
    while (!this.#stopping) {
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      try {
        await this.#lookAfter()
        if (!(await this.#step()) && !this.#stopping) await this.#sleep(woken, this.#idleMs())
      } catch (error) {
        this.#report(error)
        await this.#sleep(woken, ERROR_PAUSE_MS)
      }
    }
  }

  /** What is done now and then: jobs become ready, those that wait here for too long go back, old ones are forgotten. */
  async #lookAfter(): Promise<void> {
    const now = performance.now()
    if (now - this.#readyAt >= this.#settings.pollMs / 2) {
      this.#readyAt = now
      await this.#lookForLost()
      this.#paused = !(await makeReady(this.#scope))
      const waitLong = this.#runner.most === 1 && this.#held.buffered > 0 && this.#usualMs > QUICK_MS
      if (this.#paused || waitLong) await this.#held.handBack()
      await this.#alarm.set(performance.now() - now)
    }
    if (now - this.#prunedAt >= PRUNE_MS) {
      this.#prunedAt = now
      await prune(this.#scope)
    }
  }

  /** How long to sleep while nothing wakes it: no longer than until more jobs may begin. */
  #idleMs(): number {
    const { rate, groupRate } = this.#scope.declaration?.options ?? {}
    return Math.min(this.#settings.pollMs, rate?.perMs ?? Infinity, groupRate?.perMs ?? Infinity)
  }

  async #lookForLost(): Promise<void> {
    if (this.#transactions !== undefined) await this.#caution.look((error) => this.#report(error))
  }

  /** Takes what can be run soon; false when there is nothing to do until something happens. */
  async #step(): Promise<boolean> {
    if (this.#paused) return false
    if (this.#transactions !== undefined) {
      if ((await this.#workInTransaction(this.#transactions)) > 0) return true
      await this.#laterVersions.look()
      return false
    }
    const wanted = this.#wanted()
    if (wanted === 0) return false
    const taken = await this.#take(wanted)
    this.#startJobs()
    if (taken < wanted) await this.#laterVersions.look()
    return taken === wanted
  }

  /** How many jobs to take now. Of one at a time, what is quick is taken ahead, in batches; else jobs would wait here that others could run. */
  #wanted(): number {
    const { batch, concurrency } = this.#settings
    const { buffered, running } = this.#held
    const { most } = this.#runner
    if (most > 1) return Math.max(0, (concurrency - this.#busy) * most - buffered)
    // What is still to be written down is bounded too: while one batch is, another is taken.
    if (running - this.#busy >= 2 * batch) return 0
    const free = concurrency - this.#busy
    if (this.#usualMs > QUICK_MS) return Math.max(0, free - buffered)
    return buffered > batch / 2 ? 0 : Math.max(batch, free) - buffered
  }

  /** Takes jobs; gives how many. */
  async #take(count: number): Promise<number> {
    const { jobs, buried } = await claim(this.#scope, count, this.#settings.leaseMs)
    this.#held.add(jobs)
    for (const { job, error } of buried) this.#tell('failed', job, error, true)
    return jobs.length
  }

  #startJobs(): void {
    while (this.#busy < this.#settings.concurrency && !this.#stopping) {
      const waits = this.#waitMs > 0 && this.#held.buffered < this.#runner.most
      if (waits && this.#waitedMs() < this.#waitMs) return
      const next = this.#held.start(this.#runner.most)
      if (next === undefined) return
      this.#waitedSince = undefined
      void this.#run(next.jobs, next.interruption)
    }
  }

  /** How long jobs have waited here for others to be started with. */
  #waitedMs(): number {
    if (this.#held.buffered === 0) return 0
    if (this.#waitedSince === undefined) {
      this.#waitedSince = performance.now()
      setTimeout(() => this.#startJobs(), timerMs(this.#waitMs)).unref()
    }
    return performance.now() - this.#waitedSince
  }

  /** Runs attempts and writes down what comes of them; nothing is thrown. */
  async #run(jobs: Jobs, interruption: Interruption): Promise<void> {
    this.#busy++
    const started = performance.now()
    for (const job of jobs) this.#tell('started', job)
    const endings = await this.#runner.run(jobs, interruption)
    const tookMs = performance.now() - started
    this.#usualMs = Number.isFinite(this.#usualMs) ? this.#usualMs * 0.8 + tookMs * 0.2 : tookMs
    this.#busy--
    // The next handler begins while this one's ending is written down.
    this.#startJobs()
    if (this.#wanted() > 0) this.#wake()
    for (let at = 0; at < jobs.length; at++) this.#end(jobs[at] as Job, endings[at] as Ending)
  }

  /** Sees to it that what came of an attempt is written down. */
  #end(job: Job, ending: Ending): void {
    if (ending.kind !== 'completed') void this.#endEarly(job, ending).then(() => this.#ended(job))
    else if (ending.committed) this.#completed({ job, state: 'completed', result: ending.result })
    else this.#completions.add({ job, state: 'completed', result: ending.result })
  }

  #completed({ job, result }: Finishing, error?: unknown): void {
    if (error === undefined) this.#tell('completed', job, result)
    // The job keeps its lease until it runs out, and is then tried again.
    else this.#report(error)
    this.#ended(job)
  }

  async #endEarly(job: Job, ending: Exclude<Ending, { readonly kind: 'completed' }>): Promise<void> {
    try {
      switch (ending.kind) {
        case 'snoozed':
          if (!ending.committed) await snoozeJob(this.#scope, job, ending.ms)
          this.#tell('snoozed', job, ending.ms)
          break
        case 'failed':
          if (!ending.committed) await failAttempt(this.#scope, job, ending.error, ending.retry)
          this.#tell('failed', job, ending.error, !isTriedAgain(job, ending.retry))
          break
        case 'lost':
          if (!this.#tell('lost', job) && !(await this.#isCancelled(job))) this.#report(ending.error)
      }
      // It may be due sooner than this worker looks.
      if (ending.kind !== 'lost') this.#alarm.ringIn()
    } catch (error) {
      // As above.
      this.#report(error)
    }
  }

  async #isCancelled({ id }: Job): Promise<boolean> {
    return (await cancelledAmong(this.#scope.session, [id])).has(id)
  }

  #ended(job: Job): void {
    this.#held.done(job)
    if (this.#wanted() > 0) this.#wake()
  }

  /** Works through a batch, or begins one job where caution is called for; gives how many jobs. */
  async #workInTransaction(transactions: TransactionBatch): Promise<number> {
    // It wakes the worker when it ends.
    if (this.#held.running > 0) return 0
    if (this.#caution.left > 0) return this.#beginWithCaution()
    await this.#caution.settle()
    const ran = await transactions.run(this.#settings.batch)
    if (ran === undefined) {
      this.#caution.suspect()
      return this.#beginWithCaution()
    }
    for (const { job, ending } of ran) {
      if (ending.kind === 'completed') this.#tell('completed', job, ending.result)
      else if (ending.kind === 'snoozed') this.#tell('snoozed', job, ending.ms)
      else this.#tell('failed', job, ending.error, !(ending.kind === 'failed' && isTriedAgain(job, ending.retry)))
    }
    if (ran.some(({ ending }) => ending.kind !== 'completed')) this.#alarm.ringIn()
    return ran.length
  }

  async #beginWithCaution(): Promise<number> {
    const taken = await this.#take(1)
    this.#caution.began(taken > 0)
    this.#startJobs()
    return taken
  }

  /** Somebody cancelled jobs, or paused or resumed the queue. */
  async #heed(): Promise<void> {
    this.#lookAgain()
    await this.#held.beat().catch((error: unknown) => this.#report(error))
  }

  /** Looks after what may have become ready. */
  #lookAgain(): void {
    this.#readyAt = Number.NEGATIVE_INFINITY
    this.#wake()
  }

  async #sleep(woken: Promise<unknown>, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timerMs(ms))
    await Promise.race([woken, promise])
    clearTimeout(timer)
  }

  /** Tells listeners; whether there are any. One that throws must not keep jobs from being done. */
  #tell<Name extends keyof WorkerEvents>(event: Name, ...told: WorkerEvents[Name]): boolean {
    try {
      return (this as EventEmitter).emit(event, ...told)
    } catch (error) {
      this.#report(error)
      return true
    }
  }

  #report(error: unknown): void {
    try {
      if (this.#settings.onError !== undefined) this.#settings.onError(error)
      else process.emitWarning(error instanceof Error ? error : String(error))
    } catch (thrown) {
      process.emitWarning(thrown instanceof Error ? thrown : 'onError threw what is no error')
    }
  }
}
