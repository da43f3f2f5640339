import { QUEUES } from './queues.ts'

/** A job of the model. Times are milliseconds since the run began. */
export interface ModelJob {
  /** Its place among all jobs that were ever added. */
  readonly n: number
  readonly queue: string
  data: unknown
  state: 'waiting' | 'active' | 'completed' | 'failed' | 'cancelled'
  waitsFor: 'worker' | 'time' | 'jobs' | null
  attempt: number
  maxAttempts: number
  priority: number
  runAt: number
  result: unknown
  errors: { readonly message: string; readonly attempt: number }[]
  /** The number of the taking by which somebody holds it. */
  holder: number | null
  leaseUntil: number
  finishedAt: number | null
}

/** What is asked of a job that is added. */
export interface Asked {
  readonly data: unknown
  readonly delayMs?: number
  readonly priority?: number
  readonly maxAttempts?: number
}

/** A job that somebody took, as they know it. */
export interface Held {
  readonly n: number
  readonly holder: number
}

/** What the model refuses, by the code of the error. */
export class Refusal extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Queues as docs/jobs.md describes them, in plain arrays. */
export class Model {
  now = 0
  jobs: ModelJob[] = []
  takings = 0

  enqueue(queue: string, asked: readonly Asked[]): ModelJob[] {
    return asked.map((job) => this.#add(queue, job))
  }

  #add(queue: string, { data, delayMs = 0, priority = 0, maxAttempts }: Asked): ModelJob {
    const job: ModelJob = {
      n: this.jobs.length,
      queue,
      data,
      state: 'waiting',
      waitsFor: delayMs > 0 ? 'time' : 'worker',
      attempt: 0,
      maxAttempts: maxAttempts ?? QUEUES[queue]?.maxAttempts ?? 5,
      priority,
      runAt: this.now + delayMs,
      result: null,
      errors: [],
      holder: null,
      leaseUntil: 0,
      finishedAt: null,
    }
    this.jobs.push(job)
    return job
  }

  dequeue(queue: string, count: number, leaseMs: number): ModelJob[] {
    this.#look(queue)
    for (;;) {
      const taken = this.#waiting(queue).slice(0, count)
      const holder = this.takings++
      for (const job of taken)
        Object.assign(job, {
          state: 'active',
          waitsFor: null,
          attempt: job.attempt + 1,
          holder,
          leaseUntil: this.now + leaseMs,
        })
      const lost = taken.filter(({ attempt, maxAttempts }) => attempt > maxAttempts)
      for (const job of lost) {
        job.attempt = job.maxAttempts
        job.errors.push({ message: 'lost', attempt: job.attempt })
        this.#end(job, 'failed')
      }
      if (lost.length === 0 || lost.length < taken.length) return taken.filter((job) => !lost.includes(job))
    }
  }

  acknowledge(held: Held | ModelJob, result: unknown): void {
    const job = this.#held(held)
    job.result = result ?? null
    this.#end(job, 'completed')
  }

  fail(held: Held | ModelJob, message: string, retry: boolean): void {
    const job = this.#held(held)
    job.errors.push({ message, attempt: job.attempt })
    const { kind, firstMs = 0 } = QUEUES[job.queue]?.backoff ?? {}
    const runAt = this.now + firstMs * (kind === 'linear' ? job.attempt : 1)
    if (!retry || job.attempt >= job.maxAttempts) this.#end(job, 'failed')
    else Object.assign(job, { state: 'waiting', waitsFor: 'time', holder: null, runAt })
  }

  extend(held: Held | ModelJob, leaseMs: number): void {
    this.#held(held).leaseUntil = this.now + leaseMs
  }

  /** Whoever takes jobs sees first which ones are due, and whose leases have run out. */
  #look(queue: string): void {
    for (const job of this.jobs) {
      if (job.queue !== queue) continue
      if (job.waitsFor === 'time' && job.runAt <= this.now) job.waitsFor = 'worker'
      if (job.state === 'active' && job.leaseUntil <= this.now)
        Object.assign(job, { state: 'waiting', waitsFor: 'worker', holder: null })
    }
  }

  #waiting(queue: string): ModelJob[] {
    return this.jobs.filter((job) => job.queue === queue && job.waitsFor === 'worker').sort(byUrgency)
  }

  #end(job: ModelJob, state: ModelJob['state']): void {
    Object.assign(job, { state, waitsFor: null, holder: null, finishedAt: this.now })
  }

  /** The job that is meant: by itself, as it was taken, or by its id, whoever has taken it. */
  #held(held: Held | ModelJob): ModelJob {
    const job = this.jobs[held.n] as ModelJob
    if ('state' in held) {
      if (job.state !== 'active') throw new Refusal('NOT_FOUND')
    } else if (job.holder !== held.holder) throw new Refusal('LEASE_LOST')
    return job
  }

  /** The jobs of a queue in the order of a list. */
  list(queue: string): ModelJob[] {
    const own = this.jobs.filter((job) => job.queue === queue)
    const byTime = (time: (job: ModelJob) => number) => (left: ModelJob, right: ModelJob) =>
      time(left) - time(right) || right.priority - left.priority || left.n - right.n
    return [
      ...own.filter(({ waitsFor }) => waitsFor === 'worker').sort(byUrgency),
      ...own.filter(({ waitsFor }) => waitsFor === 'time').sort(byTime(({ runAt }) => runAt)),
      ...own.filter(({ waitsFor }) => waitsFor === 'jobs').sort(byTime(({ runAt }) => runAt)),
      ...own.filter(({ state }) => state === 'active').sort(byTime(({ leaseUntil }) => leaseUntil)),
      ...own.filter(isFinished).sort((left, right) => right.finishedAt - left.finishedAt || left.n - right.n),
    ]
  }
}

function isFinished(job: ModelJob): job is ModelJob & { finishedAt: number } {
  return job.finishedAt !== null
}

/** The order of taking: the most urgent first, then what was to run first, then what was added first. */
function byUrgency(left: ModelJob, right: ModelJob): number {
  return right.priority - left.priority || left.runAt - right.runAt || left.n - right.n
}
