import { EventEmitter } from 'node:events'
import { Bell } from '../../base/bell.ts'
import { timerMs } from '../../base/timer.ts'
import { mayDoWithoutLeases } from '../claim/claim-by-locks.ts'
import { makeReady } from '../claim/make-ready.ts'
import { Audience } from '../job/audience.ts'
import type { QueueScope } from '../job/scope.ts'
import { controlTopicOf, followUpTopicOf, laterTopicOf, topicOf, watcherTopicOf } from '../job/topics.ts'
import { Ticker } from '../schedule/ticker.ts'
import { fireTicks } from '../schedule/ticks.ts'
import { Attempts, type Runner } from './attempt.ts'
import { BatchAttempts } from './batch-attempts.ts'
import { allAtOnce, type BatchHandler, oneByOne } from './batch-handlers.ts'
import type { WorkerEvents } from './events.ts'
import { Executor, type Outside } from './executor.ts'
import { type Handler, type ManyHandler, surround } from './handler.ts'
import { HeldJobs } from './held-jobs.ts'
import type { WorkerHost } from './host.ts'
import { Intake } from './intake.ts'
import { ABORT_GRACE_MS } from './interruption.ts'
import { type StopOptions, stopTimeoutMs } from './stop-options.ts'
import { Subscriptions } from './subscriptions.ts'
import { UnleasedBatches } from './unleased-batches.ts'
import { Upkeep } from './upkeep.ts'
import {
  type WorkManyOptions,
  type WorkOptions,
  type WorkSettings,
  workManySettings,
  workSettings,
} from './work-options.ts'

const STOPPED = 'The worker was stopped.'
/** How long a worker waits after something went wrong outside of a handler. */
const ERROR_PAUSE_MS = 250

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
  readonly #executor: Executor
  readonly #intake: Intake
  readonly #audience: Audience
  readonly #upkeep: Upkeep
  readonly #subscriptions: Subscriptions
  readonly #bell = new Bell()
  #stopping = false
  #stopped = false
  #asleep = false
  /** Told when it falls asleep, or has stopped. */
  readonly #onAsleep: (() => void)[] = []
  #looping: Promise<void> = Promise.resolve()
  #ticker: Ticker | undefined
  #unregister: () => void = () => undefined

  private constructor(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    settings: WorkSettings,
    runner: Runner,
    audience: Audience,
    unleased?: BatchHandler,
  ) {
    super()
    this.#audience = audience
    this.#scope = scope
    this.#host = host
    this.#settings = settings
    this.#held = new HeldJobs(scope.session, settings.leaseMs)
    const outside: Outside = {
      tell: (event, ...told) => this.#tell(event, ...told),
      report: (error) => this.#report(error),
      hasRoom: this.#bell.ring,
      mayBeDue: () => this.#upkeep.lookSoon(),
    }
    this.#executor = new Executor(scope, settings, this.#held, runner, outside)
    const batches =
      unleased !== undefined && mayDoWithoutLeases(scope)
        ? new UnleasedBatches(scope, host, unleased, settings.leaseMs, outside.report)
        : undefined
    this.#intake = new Intake(scope, settings.leaseMs, this.#executor, outside, batches)
    this.#upkeep = new Upkeep(scope, settings.pollMs, this.#held, this.#executor, this.#bell.ring)
    this.#subscriptions = new Subscriptions(scope.session, [
      [topicOf(scope.queue), this.#bell.ring],
      [controlTopicOf(scope.queue), () => void this.#heed()],
      [followUpTopicOf(scope.queue), () => this.#upkeep.lookAgain()],
      [laterTopicOf(scope.queue), () => this.#upkeep.setAlarmAnew()],
      [watcherTopicOf(scope.queue), () => this.#audience.heard()],
    ])
  }

  /**
   * A worker whose handler takes one job at a time.
   *
   * @throws ValidationError for an unknown option.
   */
  static of<Data, Result>(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    handler: Handler<unknown, unknown>,
    options: WorkOptions = {},
  ): Worker<Data, Result> {
    const settings = workSettings(scope.queue, handler, options)
    const surrounded = surround(handler, options.middleware ?? [])
    const audience = new Audience(scope.queue)
    if (settings.mode === 'lease')
      return new Worker(scope, host, settings, new Attempts(scope, host, surrounded, audience), audience)
    const handleBatch = oneByOne(scope, host, surrounded, audience)
    const runner = new BatchAttempts(scope, host, handleBatch, settings.batch)
    return new Worker(scope, host, settings, runner, audience, settings.leases ? undefined : handleBatch)
  }

  /**
   * A worker whose handler takes many jobs at a time.
   *
   * @throws ValidationError for an unknown option.
   */
  static ofMany<Data, Result>(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    handler: ManyHandler<unknown, unknown>,
    options: WorkManyOptions = {},
  ): Worker<Data, Result> {
    const settings = workManySettings(scope.queue, handler, options)
    const surrounded = surround(handler, options.middleware ?? []) as ManyHandler<unknown, unknown>
    const runner = new BatchAttempts(scope, host, allAtOnce(scope, surrounded), settings.batch)
    return new Worker(scope, host, settings, runner, new Audience(scope.queue))
  }

  /** The queue whose jobs it takes. */
  get queue(): string {
    return this.#scope.queue
  }

  /** How many jobs it has taken. */
  get taken(): number {
    return this.#intake.taken
  }

  /** How many attempts have ended. */
  get attempts(): number {
    return this.#executor.attempts
  }

  /** Whether it waits for something to happen, and has written down all that it ran. */
  get idle(): boolean {
    return this.#asleep && this.#held.none
  }

  /** Waits until it is idle, or has stopped. After its last job it looks for more and falls asleep. */
  async untilIdle(): Promise<void> {
    while (!this.idle && !this.#stopped) await new Promise<void>((resolve) => this.#onAsleep.push(resolve))
  }

  /** Begins to look for jobs. */
  start(): void {
    this.#scope.session.assertUsable()
    // At once and until it has stopped, so that a storage that is closed meanwhile waits for it.
    this.#unregister = this.#host.started(this)
    this.#held.keepAlive((error) => this.#report(error))
    this.#ticker = new Ticker(this.#scope, this.#settings.pollMs, (error) => this.#report(error))
    this.#looping = this.#loop()
  }

  /**
   * Takes no more jobs, hands back those that were not started, and waits for those that run; after `timeoutMs` (30 s) their signals abort.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const timeoutMs = stopTimeoutMs(options)
    const started = performance.now()
    const abort = (): void => this.#held.abort(new Error(STOPPED))
    // On a timer, as all below may have to wait for a connection that a handler has.
    const timer = setTimeout(abort, timerMs(timeoutMs))
    this.#stopping = true
    this.#executor.stop()
    this.#bell.ring()
    await this.#ticker?.stop()
    await this.#looping
    this.#upkeep.stop()
    // Should it fail, they keep their lease until it runs out, and are then taken by somebody else.
    await this.#held.handBack().catch((error: unknown) => this.#report(error))
    if (!(await this.#held.empty(Math.max(0, timeoutMs - (performance.now() - started))))) {
      abort()
      // Those that are given up are still to be written down.
      await this.#held.empty(2 * ABORT_GRACE_MS)
    }
    clearTimeout(timer)
    await this.#held.stop()
    await this.#intake.end().catch((error: unknown) => this.#report(error))
    await this.#subscriptions.end().catch((error: unknown) => this.#report(error))
    this.#unregister()
    this.#stopped = true
    this.#tellAsleep()
  }

  /** Runs what is due until nothing is; gives the number of attempts. */
  async drain(): Promise<number> {
    this.#executor.waitForNoMore()
    this.#held.keepAlive((error) => this.#report(error))
    const before = this.#executor.attempts
    try {
      for (;;) {
        await fireTicks(this.#scope)
        const { paused, isMore } = await makeReady(this.#scope)
        const taken = paused ? 0 : await this.#drainBatch()
        if (taken === 0 && !isMore) return this.#executor.attempts - before
      }
    } finally {
      // Where something failed, handlers may still run.
      await this.#held.empty()
      await this.#held.stop()
      await this.#intake.end()
    }
  }

  async #drainBatch(): Promise<number> {
    const taken = await this.#intake.take(this.#settings.batch)
    await this.#held.empty()
    return taken
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      this.#bell.reset()
      try {
        await this.#subscriptions.begin()
        // A lone job should not wait for what is done now and then.
        const isMore = this.#upkeep.mayTake && (await this.#intake.step())
        if ((await this.#upkeep.look()) || isMore || this.#stopping) continue
        // Not before: whoever has a job to take should not wait for it.
        await this.#upkeep.setAlarm()
        await this.#sleep(this.#idleMs())
      } catch (error) {
        this.#report(error)
        await this.#sleep(ERROR_PAUSE_MS)
      }
    }
  }

  /** How long to sleep while nothing wakes it: no longer than until more jobs may begin. */
  #idleMs(): number {
    const { rate, groupRate } = this.#scope.declaration?.options ?? {}
    return Math.min(this.#settings.pollMs, rate?.perMs ?? Infinity, groupRate?.perMs ?? Infinity)
  }

  /** Somebody cancelled jobs, or paused or resumed the queue. */
  async #heed(): Promise<void> {
    this.#upkeep.lookAgain()
    await this.#held.beat().catch((error: unknown) => this.#report(error))
  }

  async #sleep(ms: number): Promise<void> {
    this.#asleep = true
    this.#tellAsleep()
    await this.#bell.heard(ms)
    this.#asleep = false
  }

  #tellAsleep(): void {
    for (const tell of this.#onAsleep.splice(0)) tell()
  }

  /** Tells those who watch, and listeners; whether there are any of these. One that throws must not keep jobs from being done. */
  #tell<Name extends keyof WorkerEvents>(event: Name, ...told: WorkerEvents[Name]): boolean {
    this.#audience.tell(this.#scope.session)
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
      process.emitWarning(thrown instanceof Error ? thrown : 'onError threw something that is not an error')
    }
  }
}
