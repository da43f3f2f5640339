import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Job, Queue, Storage } from '../../packages/holdfast/src/index.ts'
import type { TestClock } from '../../packages/holdfast/src/testing/index.ts'
import { type Done, type DoneBeside, fittingOf, isInOrder, takesInParts } from './beside.ts'
import { follow } from './ending.ts'
import { type Asked, choose, type Held, listed, type ModelJob, type State } from './jobs.ts'
import { doInModel } from './model.ts'
import { outcomeOf, shownOutcome } from './outcomes.ts'
import { hours, IDLE, QUEUES, type releasesOf, tenthOf } from './queues.ts'
import { KnownJobs, shownOfModel } from './shown.ts'
import type { Step } from './steps.ts'
import { prunesAnyOf } from './tending.ts'

/** Code that knows all that was enqueued. */
const LAST_RELEASE = { version: 3, upgrades: false }

type Releases = ReturnType<typeof releasesOf>

/** Between two steps, so that what comes later is later by the clock, too. */
const TICK_MS = 20

/** Where queues are: a storage, or a transaction. */
interface Queues {
  queue(name: string): Queue
  transaction<T>(work: (tx: Queues) => Promise<T>): Promise<T>
}

/** A storage beside the model, both of which do the same. */
export class Comparison {
  readonly #storage: Queues
  readonly #clock: TestClock
  readonly #run: number
  readonly #release: Releases['release']
  #known: KnownJobs
  #state: State = {
    now: 0,
    jobs: [],
    windows: [],
    pauses: [],
    rates: [],
    releases: {},
    inTransaction: false,
    noted: [],
  }
  #takings = 0
  /** Whether the model does not know how the queues stand any more. */
  #isLost = false
  /** Every job that was ever taken, as it was given and as the model knows it. */
  readonly #held: { readonly real: Job; readonly known: Held }[] = []

  constructor(storage: Storage, clock: TestClock, run: number, release: Releases['release']) {
    this.#storage = storage as unknown as Queues
    this.#clock = clock
    this.#run = run
    this.#release = release
    this.#known = new KnownJobs(clock.now())
  }

  async perform(steps: readonly Step[], queues = this.#storage, place = ''): Promise<void> {
    for (const [at, step] of steps.entries()) {
      this.#advance(TICK_MS)
      const label = () => `step ${place}${at}, ${JSON.stringify(step)}`
      if (step.do === 'gather') await this.#gather(step.steps)
      else if (step.do === 'transaction') await this.#transact(step.steps, step.commits, queues, `${place}${at}.`)
      else await this.#take(this.#meant(step), queues, label)
      if (this.#isLost) return
      await this.#compareQueues(queues, label)
    }
  }

  /** Does steps side by side: what comes of them is what comes of them in some order. */
  async performBeside(asked: readonly Step[]): Promise<void> {
    if (this.#isLost) return
    if (takesInParts(this.#state)) return this.perform(asked)
    this.#advance(TICK_MS)
    fittingOf(await this.#doBeside(asked))
  }

  /**
   * Makes calls at once: what comes of them is what comes of them in some order, with which the model goes on. Where they took effect in another
   * order than their times have, nothing is promised of what is taken first, and it cannot.
   */
  async #gather(asked: readonly Step[]): Promise<void> {
    const exact = fittingOf(await this.#doBeside(asked)).find(isInOrder)
    this.#isLost = exact === undefined
    if (exact === undefined) return
    this.#state = exact.state
    this.#known = exact.known
  }

  async #doBeside(asked: readonly Step[]): Promise<DoneBeside> {
    const steps = asked.map((step) => this.#meant(step)).filter((step) => step !== null)
    const done = await Promise.all(
      steps.map(async (step): Promise<Done> => {
        const held = 'held' in step ? this.#held[step.held] : undefined
        const outcome = await outcomeOf(() => this.#do(step, this.#storage, held?.real as Job))
        return { step, held: held?.known as Held, outcome }
      }),
    )
    const left = new Map<string, Job[]>()
    for (const name of Object.keys(QUEUES))
      left.set(name, await this.#queue(this.#storage, name).list({ limit: 1_000 }))
    return { done, state: this.#state, known: this.#known, left }
  }

  /** Does all that is left, however long that takes; nothing may be left in the end. */
  async windUp(): Promise<void> {
    const names = Object.keys(QUEUES)
    const live = async () => {
      const all = await Promise.all(names.map((name) => this.#queue(this.#storage, name).list({ limit: 1_000 })))
      return all.flat().filter(({ finishedAt }) => finishedAt === null)
    }
    for (const name of names) {
      await this.#queue(this.#storage, name).resume()
      this.#release(name, LAST_RELEASE)
    }
    for (let taken = 1; taken > 0; ) {
      taken = 0
      // Whatever waits for its time, or for room in a rate, is due by then.
      this.#clock.advance(hours(4))
      for (const name of names) {
        const queue = this.#queue(this.#storage, name)
        for (const job of await queue.dequeueMany(100)) {
          await queue.acknowledge(job)
          taken++
        }
      }
    }
    expect((await live()).map(({ id, queue, state, waitsFor }) => ({ id, queue, state, waitsFor }))).toEqual([])
  }

  #advance(ms: number): void {
    this.#clock.advance(ms)
    this.#state.now += ms
  }

  /** The step with the numbers of the jobs that it means; null where there are none yet, or where nothing is promised of it. */
  #meant(step: Step): Step | null {
    const [jobs, held] = [this.#state.jobs.length, this.#held.length]
    if ('held' in step) return held === 0 ? null : { ...step, held: held - 1 - (step.held % held) }
    if ('job' in step) return jobs === 0 ? null : { ...step, job: step.job % jobs }
    if (step.do === 'prune' && prunesAnyOf(this.#state, step.queue)) return null
    if (step.do !== 'enqueue') return step
    const meant = ({ after, ...job }: Asked): Asked =>
      after === undefined || jobs === 0 ? job : { ...job, after: after.map((n) => n % jobs) }
    return { ...step, jobs: (step.many ? step.jobs : step.jobs.slice(0, 1)).map(meant) }
  }

  async #take(step: Step | null, queues: Queues, label: () => string): Promise<void> {
    if (step === null) return
    if (step.do === 'advance') return this.#advance(step.ms)
    const held = 'held' in step ? this.#held[step.held] : undefined
    const wanted = await outcomeOf(async () => doInModel(this.#state, step, held?.known as Held, this.#takings++))
    const given = ('gave' in wanted && Array.isArray(wanted.gave) ? wanted.gave : []) as readonly ModelJob[]
    const shown = shownOutcome(wanted, step, shownOfModel)
    const actual = await outcomeOf(() => this.#do(step, queues, held?.real as Job))
    if ('gave' in actual && Array.isArray(actual.gave)) this.#note(step, given, actual.gave)
    same(
      shownOutcome(actual, step, (job: Job) => this.#known.shown(job, this.#state)),
      shown,
      label,
    )
  }

  /** Jobs that were added become known, and those that were taken are held. */
  #note({ do: done }: Step, given: readonly ModelJob[], jobs: readonly Job[]): void {
    if (done === 'dequeue') this.#known.meetLetters(jobs, given)
    for (const [at, { n, holder, data, version }] of given.entries()) {
      const real = jobs[at]
      if (done === 'enqueue') this.#known.meet(n, real?.id)
      if (done === 'dequeue' && real !== undefined)
        this.#held.push({ real, known: { n, holder: holder as number, data, version } })
    }
  }

  async #transact(steps: readonly Step[], commits: boolean, queues: Queues, place: string): Promise<void> {
    const before = structuredClone(this.#state)
    const undone = new Error('undone')
    let times = 0
    const transacting = queues.transaction(async (tx) => {
      expect(++times, `the transaction ${place} is tried again, though it is alone`).toBe(1)
      this.#state.inTransaction = true
      await this.perform(steps, tx, place)
      if (!commits) throw undone
    })
    await transacting.catch((error: unknown) => {
      if (error !== undone) throw error
    })
    const { jobs, now, noted } = this.#state
    // Numbers of jobs that were undone are given to nobody again: it is as if those were gone.
    const left = jobs.map((job, n): ModelJob => before.jobs[n] ?? { ...job, gone: true, holder: null, behind: [] })
    if (!commits) this.#state = { ...before, now, jobs: left }
    this.#state.inTransaction = before.inTransaction
    if (before.inTransaction) return
    // What follows from a transaction is done by whoever takes jobs next, of whatever queue.
    await this.#queue(this.#storage, IDLE).dequeue()
    this.#state.noted = []
    if (commits) follow(this.#state, noted)
  }

  async #compareQueues(queues: Queues, label: () => string): Promise<void> {
    for (const name of Object.keys(QUEUES)) {
      const found = await this.#queue(queues, name).list({ limit: 1_000 })
      const wanted = choose(this.#state, name)
      this.#known.meetLetters(found, wanted)
      const actual = this.#known.inOrder(found, this.#state).map((job) => this.#known.shown(job, this.#state))
      same(actual, listed(wanted).map(shownOfModel), () => `${name} after ${label()}`)
    }
  }

  /** Does a step with the storage, and gives what it comes to. */
  async #do(step: Step, queues: Queues, held: Job): Promise<unknown> {
    if ('held' in step) {
      const [queue, job] = [queues.queue(held.queue), step.byId ? held.id : held]
      if (step.do === 'acknowledge') return queue.acknowledge(job, step.result)
      if (step.do === 'fail') return queue.fail(job, new Error(step.message), step.retry)
      return queue.extend(job, step.leaseMs)
    }
    if ('job' in step) {
      const queue = this.#queue(queues, this.#state.jobs[step.job]?.queue as string)
      const id = this.#known.idOf(step.job)
      if (step.do === 'cancel') return queue.cancel(id)
      if (step.do === 'updateData') return queue.updateData(id, step.data)
      return step.do === 'reschedule' ? queue.reschedule(id, step.to) : queue.retry(id)
    }
    const queue = this.#queue(queues, (step as { queue: string }).queue)
    switch (step.do) {
      case 'release':
        return this.#release(step.queue, step.release)
      case 'enqueue':
        return this.#enqueue(queue, step.jobs, step.many)
      case 'dequeue':
        return queue.dequeueMany(step.count, { leaseMs: step.leaseMs })
      case 'cancelMany':
        return queue.cancelMany(step.chosen as object)
      case 'retryMany':
        return queue.retryMany(step.chosen as object)
      case 'purge': {
        const { agoMs, ...chosen } = step.chosen
        const before = agoMs === undefined ? {} : { before: new Date(this.#clock.now() - agoMs) }
        return queue.purge({ ...chosen, ...before } as object)
      }
      case 'pause':
        return queue.pause(step.forMs === undefined ? {} : { forMs: step.forMs })
      case 'resume':
        return queue.resume()
      case 'prune':
        return queue.prune()
      case 'stats':
        return { ...(await queue.stats()), latency: tenthOf(await queue.latency()) }
      case 'list':
        return this.#list(queue, step.chosen, step.first)
    }
    return undefined
  }

  async #enqueue(queue: Queue, asked: readonly Asked[], many: boolean): Promise<Job[]> {
    const jobs = asked.map(({ after, ...job }) => ({
      ...job,
      ...(after !== undefined && { after: after.map((n) => this.#known.idOf(n)) }),
    }))
    if (many) return queue.enqueueMany(jobs)
    const { data, ...options } = jobs[0] as (typeof jobs)[0]
    return [await queue.enqueue(data, options)]
  }

  /** A list, which pages give too. */
  async #list(queue: Queue, chosen: object, first: number): Promise<Job[]> {
    const all = await queue.list({ ...chosen, limit: 1_000 })
    const paged: string[] = []
    for (let after: string | null = null, at = 0; at === 0 || after !== null; at++) {
      const { items, next }: Awaited<ReturnType<Queue['page']>> = await queue.page({ ...chosen, first, after })
      paged.push(...items.map(({ id }) => id))
      after = next
    }
    expect(paged).toEqual(all.map(({ id }) => id))
    return this.#known.inOrder(all, this.#state)
  }

  #queue(queues: Queues, name: string): Queue {
    return queues.queue(`${name}${this.#run}`)
  }
}

function same(actual: unknown, wanted: unknown, label: () => string): void {
  // Looked at first, since `expect` takes its time.
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, label()).toEqual(wanted)
}
