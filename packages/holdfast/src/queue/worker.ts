import type { Session } from '../backend/index.ts'
import { HoldfastError, LeaseLostError, SerializationError } from '../base/errors.ts'
import { acceptJson, type Queue as QueueDeclaration } from '../schema/index.ts'
import { claim, extendLeases, handBack, makeReady } from './claim.ts'
import { all, equals, set } from './conditions.ts'
import { topicOf } from './enqueue.ts'
import { type Finishing, failAttempt, finish } from './finish.ts'
import type { WorkerHost } from './host.ts'
import type { Job } from './job.ts'
import { liveJobs } from './models.ts'
import { Ticker } from './ticker.ts'
import { fireTicks } from './ticks.ts'

/** What a handler is given besides the job. */
export interface HandlerContext<Tx> {
  /**
   * A transaction that begins at its first use and takes in the completion of the job: its writes and the follow-up jobs it enqueues take
   * effect exactly when the job completes.
   */
  readonly tx: Tx
  /** Aborts when the lease is lost, or when the worker is stopped and its time is up. */
  readonly signal: AbortSignal
  /** Keeps a word on the progress with the job: any JSON. */
  progress(value: unknown): Promise<void>
}

/** Does a job. What it returns is kept as the job's result. */
export type Handler<Data, Tx> = (job: Job<Data>, context: HandlerContext<Tx>) => unknown

/** How a worker works. */
export interface WorkOptions {
  /** How many jobs run at once; 1 unless given. */
  readonly concurrency?: number
  /** How many jobs are taken with one statement; as many as run at once, and at least 10, unless given. */
  readonly batch?: number
  /** How long a job is this worker's between two signs of life; 30 s unless given. */
  readonly leaseMs?: number
  /** How often it looks for jobs that it was not told of; 1 s unless given. */
  readonly pollMs?: number
  /**
   * `lease` (the default): a job is taken, run, and completed. `transaction`: a batch is taken, run and finished in one commit, which is
   * faster for many short jobs; after a conflict the whole batch runs again.
   */
  readonly mode?: 'lease' | 'transaction'
  /** Told of what goes wrong outside of handlers, such as a database that is away. A process warning unless given. */
  readonly onError?: (error: unknown) => void
}

const DEFAULT_LEASE_MS = 30_000
const DEFAULT_POLL_MS = 1_000
const DEFAULT_STOP_MS = 30_000
/** After their signal was aborted, handlers get so long to notice. */
const ABORT_GRACE_MS = 1_000
/** How often a handler runs again because its transaction met another one; that is no failure of the job. */
const MAX_CONFLICTS = 20
/** How long a worker waits after something went wrong outside of a handler. */
const ERROR_PAUSE_MS = 250

/** What a worker works on, and how. */
export interface WorkerSettings extends WorkOptions {
  readonly session: Session
  readonly queue: string
  readonly declaration: QueueDeclaration | undefined
}

interface Running {
  readonly controller: AbortController
  readonly settled: Promise<void>
}

/**
 * Takes jobs and runs a handler with them.
 *
 * ```
 *   idle ──start──▶ looking ──(jobs)──▶ running ──(all taken)──▶ looking
 *                      │ ▲                  │
 *              (none)  ▼ │ (woken, polled)  │ stop
 *                    asleep ────────────────┴──▶ stopping ──(handlers settled, or time is up)──▶ stopped
 * ```
 */
export class Worker {
  readonly #host: WorkerHost<unknown>
  readonly #handler: Handler<unknown, unknown>
  readonly #session: Session
  readonly #queue: string
  readonly #options: WorkerSettings & Required<Omit<WorkOptions, 'mode' | 'onError'>>
  /** Taken, not started. */
  readonly #buffer: Job[] = []
  readonly #running = new Map<Job, Running>()
  #completions: {
    readonly finishing: Finishing
    readonly settle: (held: boolean) => void
    readonly fail: (error: unknown) => void
  }[] = []
  #flushing = false
  #stopping = false
  #looping: Promise<void> = Promise.resolve()
  #wake: () => void = () => undefined
  #readyAt = 0
  #heartbeat: NodeJS.Timeout | undefined
  #ticker: Ticker | undefined

  constructor(host: WorkerHost<unknown>, handler: Handler<unknown, unknown>, settings: WorkerSettings) {
    const concurrency = settings.concurrency ?? 1
    this.#host = host
    this.#handler = handler
    this.#session = settings.session
    this.#queue = settings.queue
    this.#options = {
      ...settings,
      concurrency,
      batch: settings.batch ?? Math.max(concurrency, 10),
      leaseMs: settings.leaseMs ?? DEFAULT_LEASE_MS,
      pollMs: settings.pollMs ?? DEFAULT_POLL_MS,
    }
  }

  /** Begins to look for jobs. */
  start(): void {
    this.#heartbeat = setInterval(() => void this.#beat(), this.#options.leaseMs / 3)
    this.#heartbeat.unref()
    this.#ticker = new Ticker(this.#options, this.#options.pollMs, (error) => this.#report(error))
    this.#looping = this.#loop()
  }

  /**
   * Takes no more jobs, hands back those that were not started, and waits for those that run; after `timeoutMs` (30 s) their signals abort.
   */
  async stop({ timeoutMs = DEFAULT_STOP_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#stopping = true
    this.#wake()
    await this.#ticker?.stop()
    await this.#looping
    await this.#returnBuffer()
    if (!(await this.#settledWithin(timeoutMs))) {
      for (const { controller } of this.#running.values()) controller.abort(new Error('The worker was stopped.'))
      await this.#settledWithin(ABORT_GRACE_MS)
    }
    clearInterval(this.#heartbeat)
  }

  /** Runs what is due until nothing is; gives the number of attempts. */
  async drain(): Promise<number> {
    for (let attempts = 0; ; ) {
      await fireTicks(this.#options)
      const taken = await this.#work()
      if (taken === 0) return attempts
      attempts += taken
    }
  }

  async #work(): Promise<number> {
    if (this.#options.mode === 'transaction') return this.#workInTransaction()
    await makeReady(this.#session, this.#queue)
    const jobs = await claim(this.#session, this.#queue, this.#options.batch, this.#options.leaseMs)
    const queue = [...jobs]
    const lane = async () => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) await this.#run(job)
    }
    await Promise.all(Array.from({ length: this.#options.concurrency }, lane))
    return jobs.length
  }

  async #loop(): Promise<void> {
    const session = this.#session
    const unsubscribe = await session.wake(topicOf(this.#queue), () => this.#wake())
    const unregister = this.#host.started(this)
    while (!this.#stopping) {
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      try {
        const idle = await this.#step()
        if (idle && !this.#stopping) await this.#sleep(woken, this.#options.pollMs)
      } catch (error) {
        this.#report(error)
        await this.#sleep(woken, ERROR_PAUSE_MS)
      }
    }
    unregister()
    await unsubscribe()
  }

  /** Starts what can be started; true when there is nothing to do until something happens. */
  async #step(): Promise<boolean> {
    const session = this.#session
    if (performance.now() - this.#readyAt >= this.#options.pollMs / 2) {
      await makeReady(session, this.#queue)
      this.#readyAt = performance.now()
    }
    if (this.#options.mode === 'transaction') return (await this.#workInTransaction()) === 0
    if (this.#running.size >= this.#options.concurrency) return true
    if (this.#buffer.length === 0) {
      this.#buffer.push(...(await claim(session, this.#queue, this.#options.batch, this.#options.leaseMs)))
    }
    if (this.#buffer.length === 0) return true
    while (this.#running.size < this.#options.concurrency && !this.#stopping) {
      const job = this.#buffer.shift()
      if (job === undefined) break
      void this.#run(job).finally(() => this.#wake())
    }
    return this.#running.size >= this.#options.concurrency
  }

  /** Runs one attempt; whatever comes of it is kept with the job, and nothing is thrown. */
  async #run(job: Job): Promise<void> {
    const controller = new AbortController()
    const settled = this.#attempt(job, controller.signal)
    this.#running.set(job, { controller, settled })
    await settled
    this.#running.delete(job)
  }

  async #attempt(job: Job, signal: AbortSignal, conflicts = 0): Promise<void> {
    const later = this.#host.openLater()
    try {
      const context = { tx: later.tx, signal, progress: (value: unknown) => this.#progress(job, value) }
      const result = this.#acceptResult(await later.run(async () => this.#handler(job, context)))
      const finishing: Finishing = { job, state: 'completed', result }
      const committed = await later.commit(async (session) => {
        if (!(await finish(session, [finishing])).has(job.id)) throw this.#lost(job)
      })
      if (!committed && !(await this.#complete(finishing))) throw this.#lost(job)
    } catch (error) {
      if (isConflict(error) && conflicts < MAX_CONFLICTS && !signal.aborted) {
        await later.rollback()
        return this.#attempt(job, signal, conflicts + 1)
      }
      await this.#failed(job, error, () => later.rollback())
    }
  }

  async #failed(job: Job, error: unknown, rollback: () => Promise<void>): Promise<void> {
    try {
      await rollback()
      if (error instanceof LeaseLostError) this.#report(error)
      else await failAttempt(this.#session, job, error, true, this.#options.declaration?.options.backoff)
    } catch (second) {
      // The job keeps its lease until it runs out, and is then tried again.
      this.#report(second)
    }
  }

  #acceptResult(result: unknown): unknown {
    if (result === undefined) return null
    const issues: { path: string; reason: string }[] = []
    const accepted = acceptJson(result, 'result', issues)
    if (issues.length > 0)
      throw new TypeError(
        `The handler's result cannot be kept: ${issues.map(({ path, reason }) => `${path} ${reason}`).join('; ')}`,
      )
    return accepted
  }

  /** Completions that come while one is being written are written together with the next. */
  #complete(finishing: Finishing): Promise<boolean> {
    return new Promise((settle, fail) => {
      this.#completions.push({ finishing, settle, fail })
      if (!this.#flushing) void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    await Promise.resolve() // The completions of this tick come along.
    while (this.#completions.length > 0) {
      const completions = this.#completions
      this.#completions = []
      try {
        const held = await finish(
          this.#session,
          completions.map(({ finishing }) => finishing),
        )
        for (const { finishing, settle } of completions) settle(held.has(finishing.job.id))
      } catch (error) {
        for (const { fail } of completions) fail(error)
      }
    }
    this.#flushing = false
  }

  async #workInTransaction(): Promise<number> {
    const session = this.#session
    return session.transaction(async (inner) => {
      const jobs = await claim(inner, this.#queue, this.#options.batch, this.#options.leaseMs)
      const done: Finishing[] = []
      for (const job of jobs) {
        try {
          const result = await inner.transaction(async (part) => {
            const signal = new AbortController().signal
            const progress = async () => undefined
            return this.#acceptResult(
              await this.#handler(job, { tx: this.#host.transactionOf(part), signal, progress }),
            )
          })
          done.push({ job, state: 'completed', result })
        } catch (error) {
          if (error instanceof HoldfastError && error.retryable) throw error
          await failAttempt(inner, job, error, true, this.#options.declaration?.options.backoff)
        }
      }
      if (done.length > 0) await finish(inner, done)
      return jobs.length
    })
  }

  async #progress(job: Job, value: unknown): Promise<void> {
    const session = this.#session
    const plan = session.plan('queue progress', () => ({
      kind: 'update',
      model: liveJobs.name,
      set: [set('progress', 0)],
      where: all(equals('id', 1), equals('token', 2)),
      orderBy: [],
      returning: [],
    }))
    if ((await session.execute(plan, [this.#acceptResult(value), job.id, job.token])).count === 0) throw this.#lost(job)
  }

  /** Keeps the leases of all jobs held here; one that was lost aborts its handler. */
  async #beat(): Promise<void> {
    const jobs = [...this.#running.keys(), ...this.#buffer]
    if (jobs.length === 0) return
    try {
      const held = await extendLeases(this.#session, jobs, this.#options.leaseMs)
      for (const [job, { controller }] of this.#running)
        if (jobs.includes(job) && !held.has(job.id)) controller.abort(this.#lost(job))
    } catch (error) {
      this.#report(error)
    }
  }

  async #returnBuffer(): Promise<void> {
    try {
      await handBack(this.#session, this.#buffer.splice(0))
    } catch (error) {
      // They keep their lease until it runs out, and are then taken by somebody else.
      this.#report(error)
    }
  }

  async #settledWithin(timeoutMs: number): Promise<boolean> {
    const settled = Promise.all([...this.#running.values()].map((running) => running.settled))
    await this.#sleep(settled, timeoutMs)
    return this.#running.size === 0
  }

  async #sleep(woken: Promise<unknown>, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    await Promise.race([woken, promise])
    clearTimeout(timer)
  }

  #lost(job: Job): LeaseLostError {
    return new LeaseLostError(`the job ${job.id} of ${this.#queue}`)
  }

  #report(error: unknown): void {
    if (this.#options.onError !== undefined) this.#options.onError(error)
    else process.emitWarning(error instanceof Error ? error : String(error))
  }
}

/** Whether a transaction could not be put in an order with another one, perhaps seen behind an error of the handler. */
function isConflict(error: unknown): boolean {
  return error instanceof SerializationError || (error instanceof Error && error.cause instanceof SerializationError)
}
