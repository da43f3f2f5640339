import type { LeaseLostError } from '../../base/errors.ts'
import { timerMs } from '../../base/timer.ts'
import { handBack } from '../claim/leases.ts'
import { cancelledAmong } from '../finish/cancelled.ts'
import { Completions } from '../finish/completions.ts'
import { isTriedAgain, leaseLost } from '../finish/finish.ts'
import type { Finishing } from '../finish/finishing.ts'
import { untilWritten } from '../finish/until-written.ts'
import { isDangerous, isSuspect, type Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import type { Ending, Jobs, Runner, WrittenEnding } from './attempt.ts'
import type { Tell } from './events.ts'
import type { HeldJobs } from './held-jobs.ts'
import type { Interruption } from './interruption.ts'
import { isWritten } from './is-written.ts'
import type { UnleasedBatch } from './unleased-batches.ts'
import type { WorkSettings } from './work-options.ts'
import { type Otherwise, writeEnding } from './write-endings.ts'

/** As many jobs are taken ahead as handlers will begin with in this time: others could run those that wait here for longer. */
const AHEAD_MS = 50
/** Jobs that will have waited here for longer than this are handed back: handlers have become slower than they were. */
const TOO_LONG_MS = 1_000

/** What an executor says to the worker it belongs to. */
export interface Outside {
  readonly tell: Tell
  readonly report: (error: unknown) => void
  /** More jobs can be taken. */
  readonly hasRoom: () => void
  /** A job was put off, perhaps not for long. */
  readonly mayBeDue: () => void
}

/** Runs the jobs that a worker holds, side by side, and writes down what comes of them. */
export class Executor {
  readonly #scope: QueueScope
  readonly #settings: WorkSettings
  readonly #held: HeldJobs
  readonly #runner: Runner
  readonly #outside: Outside
  readonly #completions: Completions
  /** How many handlers run. */
  #busy = 0
  /** How many jobs they were given. */
  #inHand = 0
  /** Whether workers were lost with jobs that were taken last. */
  #isCautious = false
  /** How long handlers take, roughly; at first nobody knows. */
  #usualMs = Number.POSITIVE_INFINITY
  /** How long jobs wait here for others to be started with. */
  #waitMs: number
  #attempts = 0
  /** Whether jobs have waited here for long enough for others to be started with; nothing where none wait. */
  #waiting: { isOver: boolean } | undefined
  #stopped = false

  constructor(scope: QueueScope, settings: WorkSettings, held: HeldJobs, runner: Runner, outside: Outside) {
    this.#scope = scope
    this.#settings = settings
    this.#held = held
    this.#runner = runner
    this.#outside = outside
    this.#waitMs = settings.waitMs
    const most = Math.max(settings.batch, settings.concurrency)
    this.#completions = new Completions(scope, most, settings.leaseMs, held, (one, error) =>
      this.#completed(one, error),
    )
  }

  /** How many attempts have ended. */
  get attempts(): number {
    return this.#attempts
  }

  /** How many jobs to take now. */
  get wanted(): number {
    const { batch, concurrency } = this.#settings
    const { buffered, running, dangerous } = this.#held
    const { most } = this.#runner
    const free = concurrency - this.#busy
    // What is still to be written down is bounded too: while some batches are, another is taken.
    if (dangerous || running - this.#inHand >= 3 * batch) return 0
    if (this.#isCautious) return Math.max(0, free - buffered)
    if (most > 1) return Math.max(0, Math.min(most, free * most - buffered))
    const ahead = Math.min(2 * batch, Math.floor((AHEAD_MS * concurrency) / this.#usualMs))
    // Many with one statement instead of each as another one begins.
    return buffered > ahead / 2 ? 0 : Math.min(Math.max(batch, free), free + ahead - buffered)
  }

  /**
   * Holds jobs that were taken, and starts as many as may run now; gives how many it holds. Where workers were lost with some of them, what cannot
   * run at once goes back, as does all else where one is dangerous: should this worker be lost too, they would count as attempts.
   */
  async hold(jobs: readonly Job[]): Promise<number> {
    this.#isCautious = jobs.some(isSuspect)
    const count = this.#isCautious ? this.#countAtOnce(jobs) : jobs.length
    this.#held.add(jobs.slice(0, count))
    const others = jobs.slice(count)
    try {
      if (others.length > 0) await untilWritten(() => handBack(this.#scope.session, others), this.#settings.leaseMs)
    } finally {
      this.start()
    }
    return count
  }

  #countAtOnce(jobs: readonly Job[]): number {
    const free = Math.max(0, this.#settings.concurrency - this.#busy - this.#held.buffered)
    const danger = jobs.findIndex(isDangerous)
    return Math.min(free, danger < 0 ? jobs.length : Math.max(danger, 1))
  }

  /** Whether jobs that are held will wait for long, which others could run meanwhile. */
  get keepsWaiting(): boolean {
    const { buffered } = this.#held
    return (
      this.#runner.most === 1 && buffered > 0 && buffered * this.#usualMs > TOO_LONG_MS * this.#settings.concurrency
    )
  }

  /** From now on jobs are started without waiting for others to be started with. */
  waitForNoMore(): void {
    this.#waitMs = 0
  }

  /** Starts no more; those that run go on. */
  stop(): void {
    this.#stopped = true
  }

  /** Whether it starts no more. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Starts as many of the jobs that are held as may run now. */
  start(): void {
    while (this.#busy < this.#settings.concurrency && !this.#stopped) {
      const waits = this.#waitMs > 0 && this.#held.buffered < this.#runner.most
      if (waits && !this.#hasWaited()) return
      const next = this.#held.start(this.#runner.most)
      if (next === undefined) return
      this.#waiting = undefined
      void this.#run(next.jobs, next.interruption, this.#runner)
    }
  }

  /** Runs a batch that was taken without leases, at once. */
  runUnleased(jobs: Jobs, batch: UnleasedBatch): void {
    this.#isCautious = false
    void this.#run(jobs, this.#held.run(jobs), batch)
  }

  /** Whether the jobs here have waited for others to be started with. */
  #hasWaited(): boolean {
    if (this.#held.buffered === 0) this.#waiting = undefined
    else this.#waiting ??= this.#wait()
    return this.#waiting?.isOver === true
  }

  #wait(): { isOver: boolean } {
    const waiting = { isOver: false }
    const end = () => {
      waiting.isOver = true
      this.start()
    }
    setTimeout(end, timerMs(this.#waitMs)).unref()
    return waiting
  }

  /** Runs attempts and writes down what comes of them; nothing is thrown. */
  async #run(jobs: Jobs, interruption: Interruption, runner: Pick<Runner, 'run'>): Promise<void> {
    this.#busy++
    this.#inHand += jobs.length
    const started = performance.now()
    for (const job of jobs) this.#outside.tell('started', job)
    const endings = await runner.run(jobs, interruption)
    const tookMs = performance.now() - started
    this.#usualMs = Number.isFinite(this.#usualMs) ? this.#usualMs * 0.8 + tookMs * 0.2 : tookMs
    this.#busy--
    this.#inHand -= jobs.length
    // The next handler begins while this one's ending is written down.
    this.start()
    if (this.wanted > 0) this.#outside.hasRoom()
    for (let at = 0; at < jobs.length; at++) this.#end(jobs[at] as Job, endings[at] as Ending)
  }

  /** Sees to it that what came of an attempt is written down. */
  #end(job: Job, ending: Ending): void {
    if (ending.kind !== 'unbegun') this.#attempts++
    if (ending.kind === 'lost') void this.#lose(job, ending.error).then(() => this.#ended(job))
    else if (ending.kind !== 'completed') void this.#endOtherwise(job, ending).then(() => this.#ended(job))
    else if (ending.committed) this.#completed({ job, state: 'completed', result: ending.result })
    else this.#completions.add({ job, state: 'completed', result: ending.result })
  }

  #completed({ job, result }: Finishing, error?: unknown): void {
    if (error === undefined) this.#outside.tell('completed', job, result)
    // The job keeps its lease until it runs out, and is then tried again.
    else this.#outside.report(error)
    this.#ended(job)
  }

  async #endOtherwise(job: Job, ending: Otherwise): Promise<void> {
    try {
      const written = ending.committed ? ending : await this.#write(job, ending)
      if (written.kind === 'unbegun') return
      if (written.kind === 'completed') this.#outside.tell('completed', job, written.result)
      else if (written.kind === 'snoozed') this.#outside.tell('snoozed', job, written.ms)
      else this.#outside.tell('failed', job, written.error, !isTriedAgain(job, written.retry))
      // It may be due sooner than the worker looks.
      this.#outside.mayBeDue()
    } catch (error) {
      // As in `#completed`.
      this.#outside.report(error)
    }
  }

  async #lose(job: Job, lost: LeaseLostError): Promise<void> {
    try {
      if (!this.#outside.tell('lost', job) && !(await this.#isCancelled(job))) this.#outside.report(lost)
    } catch (error) {
      this.#outside.report(error)
    }
  }

  /**
   * Gives what is written down of an attempt by now.
   *
   * @throws LeaseLostError when somebody else has the job by now.
   */
  async #write(job: Job, ending: Otherwise): Promise<WrittenEnding> {
    const write = async () => !this.#held.isRetaken(job) && (await writeEnding(this.#scope, job, ending))
    const { value: isHeld, maybeBefore } = await untilWritten(write, this.#settings.leaseMs)
    const { ifCommitted } = ending
    if (!isHeld && ifCommitted !== undefined && (await isWritten(this.#scope, job, ifCommitted))) return ifCommitted
    if (!isHeld && !maybeBefore) throw leaseLost(job)
    return ending
  }

  async #isCancelled({ id }: Job): Promise<boolean> {
    return (await cancelledAmong(this.#scope.session, [id])).has(id)
  }

  #ended(job: Job): void {
    this.#held.done(job)
    // A dangerous one waits until nothing else runs, and others until it has ended.
    if (this.#held.buffered > 0) this.start()
    if (this.wanted > 0) this.#outside.hasRoom()
  }
}
