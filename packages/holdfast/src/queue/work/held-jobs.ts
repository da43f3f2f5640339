import type { Session } from '../../backend/index.ts'
import { ConfigurationError } from '../../base/errors.ts'
import { timerMs } from '../../base/timer.ts'
import { extendAside, extendLeases, handBack, leaseOf } from '../claim/leases.ts'
import { cancelledAmong } from '../finish/cancelled.ts'
import { leaseLost } from '../finish/finish.ts'
import { isLeased } from '../job/held-rows.ts'
import { isDangerous, isSuspect, type Job } from '../job/job.ts'
import type { Jobs } from './attempt.ts'
import { Interruption } from './interruption.ts'

/** The jobs that a worker holds: those it runs, and those it has taken and not started. */
export class HeldJobs {
  readonly #session: Session
  readonly #leaseMs: number
  readonly #buffer: Job[] = []
  readonly #running = new Map<Job, Interruption>()
  /** Those that ran while they were taken again by this very worker. */
  readonly #retaken = new WeakSet<Job>()
  #dangerous: Job | undefined
  #timer: NodeJS.Timeout | undefined
  /** The sign of life that is given now, or was last. */
  #beating: Promise<void> = Promise.resolve()
  /** When the last one was given. */
  #beatAt = performance.now()
  readonly #onEmpty = new Set<() => void>()

  constructor(session: Session, leaseMs: number) {
    this.#session = session
    this.#leaseMs = leaseMs
  }

  /** How many were taken and not started. */
  get buffered(): number {
    return this.#buffer.length
  }

  /** How many are run, or have been and are still to be written down. */
  get running(): number {
    return this.#running.size
  }

  /** Whether it holds none. */
  get none(): boolean {
    return this.#running.size === 0 && this.#buffer.length === 0
  }

  /** Whether there is one that nothing else may run beside. */
  get dangerous(): boolean {
    return this.#dangerous !== undefined
  }

  /** Keeps jobs until they are started. One that still runs here was taken from this worker itself: its first handler goes on for nothing. */
  add(jobs: readonly Job[]): void {
    this.#buffer.push(...jobs)
    this.#dangerous ??= jobs.find(isDangerous)
    const again = new Set(jobs.filter(isSuspect).map(({ id }) => id))
    if (again.size === 0) return
    const lost = [...this.#running.keys()].filter(({ id }) => again.has(id))
    for (const job of lost) this.#retaken.add(job)
    this.#interrupt(new Set(lost))
  }

  /** Whether a job that runs was taken again by this worker meanwhile. */
  isRetaken(job: Job): boolean {
    return this.#retaken.has(job)
  }

  /**
   * The next jobs, at most so many, and what interrupts them. One whose worker was lost is started alone, lest it takes others down with it;
   * nothing while a dangerous one waits for the others to end, or runs.
   */
  start(most: number): { readonly jobs: Jobs; readonly interruption: Interruption } | undefined {
    if (this.#running.size > 0 && this.dangerous) return undefined
    const first = this.#buffer.shift()
    if (first === undefined) return undefined
    const jobs: Jobs = most === 1 || isSuspect(first) ? [first] : [first, ...this.#takeWhole(most - 1)]
    return { jobs, interruption: this.run(jobs) }
  }

  /** Holds jobs that are run from now on; gives what interrupts them. */
  run(jobs: Jobs): Interruption {
    const interruption = new Interruption(this.#retaken)
    for (const job of jobs) this.#running.set(job, interruption)
    return interruption
  }

  /** Up to so many of the next jobs, until one whose worker was lost. */
  #takeWhole(most: number): Job[] {
    const end = this.#buffer.findIndex((job, at) => at >= most || isSuspect(job))
    return this.#buffer.splice(0, end < 0 ? most : end)
  }

  /** Holds a job no longer. */
  done(job: Job): void {
    this.#running.delete(job)
    if (job === this.#dangerous) this.#dangerous = undefined
    if (this.#running.size === 0) for (const tell of this.#onEmpty) tell()
  }

  /** Gives signs of life three times in each lease; says so when it could not. */
  keepAlive(report: (error: unknown) => void): void {
    let last = performance.now()
    const beat = (): void => {
      const sinceMs = performance.now() - last
      last += sinceMs
      if (sinceMs > this.#leaseMs && this.running > 0) report(stoodStill(sinceMs, this.#leaseMs))
      this.#beating = this.beat().catch(report)
    }
    this.#timer = setInterval(beat, timerMs(this.#leaseMs / 3))
    this.#timer.unref()
  }

  /** Gives a sign of life now; the signals of handlers none of whose jobs is held any longer abort. */
  async beat(): Promise<void> {
    const jobs = [...this.#running.keys(), ...this.#buffer].filter(isLeased)
    if (jobs.length === 0) {
      this.#beatAt = performance.now()
      return
    }
    const [open, others] = [jobs.filter((job) => this.#isOpen(job)), jobs.filter((job) => !this.#isOpen(job))]
    const extended = await Promise.all([
      extendAside(this.#session, open, this.#leaseMs),
      extendLeases(this.#session, others, this.#leaseMs),
    ])
    this.#beatAt = performance.now()
    const held = extended[0].union(extended[1])
    const lost = new Set(jobs.filter((job) => !held.has(leaseOf(job))))
    if (lost.size === 0) return
    this.#keep(this.#buffer.filter((job) => !lost.has(job)))
    const ids = [...lost].map(({ id }) => id)
    this.#interrupt(lost, await cancelledAmong(this.#session, ids))
  }

  /** The signals of handlers all of whose jobs are lost abort. */
  #interrupt(lost: ReadonlySet<Job>, cancelled: ReadonlySet<string> = new Set()): void {
    const isLost = (job: Job) => lost.has(job) || this.#retaken.has(job)
    const going = new Set([...this.#running].flatMap(([job, own]) => (isLost(job) ? [] : [own])))
    for (const job of lost) {
      const interruption = this.#running.get(job)
      if (interruption !== undefined && !going.has(interruption))
        interruption.abort(leaseLost(job, cancelled.has(job.id)))
    }
  }

  /** Gives a sign of life if the last one was long ago, so that this worker does not hold its own jobs for those of one that was lost. */
  async beatIfLate(): Promise<void> {
    if (performance.now() - this.#beatAt > this.#leaseMs / 2) await this.beat()
  }

  /** Whether the handler of a job has its transaction open. */
  #isOpen(job: Job): boolean {
    return this.#running.get(job)?.transaction?.used === true
  }

  /** Hands back what was not started, so that others can take it. It is still held where that fails. */
  async handBack(): Promise<void> {
    const jobs = [...this.#buffer]
    this.#keep([])
    await handBack(this.#session, jobs).catch((error: unknown) => {
      this.#keep([...jobs, ...this.#buffer])
      throw error
    })
  }

  /** Holds no others any longer that were not started. */
  #keep(jobs: readonly Job[]): void {
    this.#buffer.splice(0, this.#buffer.length, ...jobs)
    if (this.#dangerous !== undefined && !this.#running.has(this.#dangerous)) this.#dangerous = jobs.find(isDangerous)
  }

  /** Aborts the signals of everything that runs. */
  abort(reason: unknown): void {
    for (const interruption of this.#running.values()) interruption.abort(reason)
  }

  /** Waits until nothing runs, at most so long where a bound is given; says whether that is so. */
  async empty(timeoutMs?: number): Promise<boolean> {
    if (this.#running.size === 0) return true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty.add(resolve)
    const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timerMs(timeoutMs))
    await promise
    clearTimeout(timer)
    this.#onEmpty.delete(resolve)
    return this.#running.size === 0
  }

  /** Gives no more signs of life; resolves when none is under way. */
  stop(): Promise<void> {
    clearInterval(this.#timer)
    return this.#beating
  }
}

/** Told of when no sign of life could be given for longer than a lease. */
function stoodStill(forMs: number, leaseMs: number): ConfigurationError {
  const message = `This process stood still for ${Math.round(forMs)} ms, longer than the leases of its jobs, ${leaseMs} ms: others may have taken them.`
  return new ConfigurationError(message, {
    hint: 'Let handlers that compute for long do so in a worker thread or in parts, or give the worker a longer leaseMs.',
  })
}
