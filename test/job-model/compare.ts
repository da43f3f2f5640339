import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Job, Queue, Storage } from '../../packages/holdfast/src/index.ts'
import type { TestClock } from '../../packages/holdfast/src/testing/index.ts'
import { type Held, Model, type ModelJob, Refusal } from './model.ts'
import { QUEUES, tenthOf } from './queues.ts'
import type { Step } from './steps.ts'

/** Between two steps, so that what comes later is later by the clock, too. */
const TICK_MS = 20

/** Where queues are: a storage, or a transaction. */
interface Queues {
  queue(name: string): Queue
}

/** What came of a step: what was given, or the code of what was refused. */
type Outcome = { readonly gave: unknown } | { readonly refused: string }

/** A storage beside the model, both of which do the same. */
export class Comparison {
  readonly #storage: Storage
  readonly #clock: TestClock
  readonly #run: number
  readonly #beganAt: number
  readonly #model = new Model()
  /** The ids of the jobs by their numbers. */
  readonly #ids: string[] = []
  /** Every job that was ever taken, as it was given and as the model knows it. */
  readonly #held: { readonly real: Job; readonly known: Held }[] = []

  constructor(storage: Storage, clock: TestClock, run: number) {
    this.#storage = storage
    this.#clock = clock
    this.#run = run
    this.#beganAt = clock.now()
  }

  async perform(steps: readonly Step[]): Promise<void> {
    for (const [at, step] of steps.entries()) {
      this.#advance(TICK_MS)
      const wanted = this.#expected(step)
      const label = () => `step ${at}, ${JSON.stringify(step)}`
      same(await this.#actual(step, this.#storage as unknown as Queues, wanted), shownOutcome(wanted), label)
      await this.#compareQueues(label)
    }
  }

  #advance(ms: number): void {
    this.#clock.advance(ms)
    this.#model.now += ms
  }

  async #compareQueues(label: () => string): Promise<void> {
    for (const name of Object.keys(QUEUES)) {
      const found = await this.#queue(this.#storage as unknown as Queues, name).list({ limit: 1_000 })
      const known = this.#model.list(name)
      same(
        this.#inOrder(found).map((job) => this.#shown(job)),
        known.map(shown),
        () => `${name} after ${label()}`,
      )
    }
  }

  /** Jobs that finished in the same step may be listed in any order: some end together, others one after the other. */
  #inOrder(jobs: readonly Job[]): Job[] {
    const endOf = ({ id }: Job) => this.#model.jobs[this.#ids.indexOf(id)]?.finishedAt ?? null
    const sorted: Job[] = []
    for (const job of jobs) {
      let at = sorted.length
      const isBehind = (other: Job) =>
        endOf(job) !== null && endOf(other) === endOf(job) && this.#ids.indexOf(other.id) > this.#ids.indexOf(job.id)
      while (at > 0 && isBehind(sorted[at - 1] as Job)) at--
      sorted.splice(at, 0, job)
    }
    return sorted
  }

  /** What the model gives or refuses. */
  #expected(step: Step): Outcome {
    const model = this.#model
    const held = 'held' in step ? this.#held[step.held % this.#held.length] : undefined
    try {
      switch (step.do) {
        case 'advance':
          return { gave: undefined }
        case 'enqueue':
          return { gave: model.enqueue(step.queue, step.many ? step.jobs : step.jobs.slice(0, 1)) }
        case 'dequeue':
          return { gave: model.dequeue(step.queue, step.count, step.leaseMs) }
      }
      if (held === undefined) return { gave: undefined }
      const meant = step.byId ? (model.jobs[held.known.n] as ModelJob) : held.known
      switch (step.do) {
        case 'acknowledge':
          return { gave: model.acknowledge(meant, step.result) }
        case 'fail':
          return { gave: model.fail(meant, step.message, step.retry) }
        case 'extend':
          return { gave: model.extend(meant, step.leaseMs) }
      }
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.code }
      throw error
    }
  }

  /** What the storage gives or refuses. */
  async #actual(step: Step, queues: Queues, wanted: Outcome): Promise<Outcome> {
    try {
      return { gave: await this.#do(step, queues, wanted) }
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === undefined) throw error
      return { refused: code }
    }
  }

  async #do(step: Step, queues: Queues, wanted: Outcome): Promise<unknown> {
    switch (step.do) {
      case 'advance':
        return this.#advance(step.ms)
      case 'enqueue': {
        const queue = this.#queue(queues, step.queue)
        const { data, ...options } = step.jobs[0] as (typeof step.jobs)[0]
        const added = step.many ? await queue.enqueueMany(step.jobs) : [await queue.enqueue(data, options)]
        const known = ('gave' in wanted ? wanted.gave : []) as readonly ModelJob[]
        for (const [at, { n }] of known.entries()) this.#ids[n] ??= added[at]?.id as string
        return added.map((job) => this.#shown(job))
      }
      case 'dequeue': {
        const taken = await this.#queue(queues, step.queue).dequeueMany(step.count, { leaseMs: step.leaseMs })
        const known = ('gave' in wanted ? wanted.gave : []) as readonly ModelJob[]
        for (const [at, { n, holder }] of known.entries())
          this.#held.push({ real: taken[at] as Job, known: { n, holder: holder as number } })
        return taken.map((job) => this.#shown(job))
      }
    }
    const held = this.#held[step.held % this.#held.length]
    if (held === undefined) return undefined
    const queue = this.#storage.queue(held.real.queue)
    const meant = step.byId ? held.real.id : held.real
    switch (step.do) {
      case 'acknowledge':
        return queue.acknowledge(meant, step.result)
      case 'fail':
        return queue.fail(meant, new Error(step.message), step.retry)
      case 'extend':
        return queue.extend(meant, step.leaseMs)
    }
  }

  #queue(queues: Queues, name: string): Queue {
    return queues.queue(`${name}${this.#run}`)
  }

  /** What is compared of a job of the storage. */
  #shown(job: Job): unknown {
    const tenth = (at: Date | null) => (at === null ? null : tenthOf(at.getTime() - this.#beganAt))
    const { id, data, state, waitsFor, attempt, maxAttempts, priority, result, errors } = job
    return {
      n: this.#ids.indexOf(id),
      queue: job.queue.replace(/\d+$/, ''),
      data,
      state,
      waitsFor,
      attempt,
      maxAttempts,
      priority,
      runAt: tenth(job.runAt),
      finishedAt: tenth(job.finishedAt),
      result,
      errors: errors.map(({ message, attempt: failed }) => ({ message: toldShortly(message), attempt: failed })),
    }
  }
}

function same(actual: unknown, wanted: unknown, label: () => string): void {
  // Looked at first, since `expect` takes its time.
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, label()).toEqual(wanted)
}

/** What the errors are called in the model that the queues themselves give. */
function toldShortly(message: string): string {
  return message === 'The worker that ran it was lost.' ? 'lost' : message
}

/** What is compared of a job of the model. */
function shown({ holder: _, leaseUntil: __, ...job }: ModelJob): unknown {
  return {
    ...job,
    runAt: tenthOf(job.runAt),
    finishedAt: job.finishedAt === null ? null : tenthOf(job.finishedAt),
  }
}

function shownOutcome(outcome: Outcome): unknown {
  return 'gave' in outcome && Array.isArray(outcome.gave) ? { gave: outcome.gave.map(shown) } : outcome
}
