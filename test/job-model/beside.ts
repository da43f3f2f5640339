import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Job } from '../../packages/holdfast/src/index.ts'
import { choose, type Held, isLive, listed, type ModelJob, Refusal, type State } from './jobs.ts'
import { doInModel } from './model.ts'
import { type Outcome, shownOutcome } from './outcomes.ts'
import { type KnownJobs, type Shown, shownOfModel } from './shown.ts'
import type { Step } from './steps.ts'
import { hasUnopened, look } from './taking.ts'

/** A step that was done beside others, and what came of it. */
export interface Done {
  readonly step: Step
  readonly held: Held
  readonly outcome: Outcome
}

/** Where steps began that were done side by side, and how the queues stood after them. */
interface Beside {
  readonly state: State
  readonly known: KnownJobs
  readonly left: ReadonlyMap<string, readonly Job[]>
}

/** What came of steps that were done side by side. */
export interface DoneBeside extends Beside {
  readonly done: readonly Done[]
}

/** A part of a step that is done at once; `looks` where it only sees what is due, before it takes it. */
interface Part extends Done {
  readonly looks: boolean
}

/**
 * Whether jobs are taken to be failed at once, which others can see: their workers were lost with their last attempts, or their payloads are too
 * old.
 */
export function takesInParts(state: State): boolean {
  const { jobs, now } = state
  const isLost = (job: ModelJob) =>
    isLive(job) && job.attempt >= job.maxAttempts && (job.state === 'waiting' || job.leaseUntil <= now)
  return jobs.some(isLost) || hasUnopened(state)
}

/** Where the model comes to in each of the orders that come to what came of the steps; there must be one. */
export function fittingOf({ done, state, known, left }: DoneBeside): Beside[] {
  const differences: unknown[] = []
  const fitting = ordersOf(done).flatMap((order) => {
    const beside = { state: structuredClone(state), known: known.copy(), left }
    const difference = differenceOf(order, beside)
    differences.push(difference)
    return difference === null ? [beside] : []
  })
  if (fitting.length === 0)
    expect.fail(`No order comes to what came of ${JSON.stringify(done)}: ${JSON.stringify(differences, null, 1)}`)
  return fitting
}

/** Whether the queues list their jobs in the order of the model. */
export function isInOrder({ state, known, left }: Beside): boolean {
  return [...left].every(([name, jobs]) => {
    const listedJobs = known.inOrder(jobs, state).map((job) => known.shown(job, state))
    return areSame(listedJobs, listed(choose(state, name)).map(shownOfModel))
  })
}

/** Every order in which steps may have been done: whoever takes jobs first sees which are due. */
function ordersOf(all: readonly Done[]): Part[][] {
  return interleavingsOf(
    all.map((done) => {
      const whole = { ...done, looks: false }
      return done.step.do === 'dequeue' ? [{ ...done, looks: true }, whole] : [whole]
    }),
  )
}

function interleavingsOf<T>(sequences: readonly (readonly T[])[]): T[][] {
  const left = sequences.filter(({ length }) => length > 0)
  if (left.length === 0) return [[]]
  return left.flatMap((sequence) => {
    const [first, ...rest] = sequence as [T, ...T[]]
    return interleavingsOf(left.map((one) => (one === sequence ? rest : one))).map((others) => [first, ...others])
  })
}

/** How what came of steps differs from what the model comes to in this order; null where it does not. */
function differenceOf(order: readonly Part[], { state, known, left }: Beside): unknown {
  for (const [at, { step, held, outcome, looks }] of order.entries()) {
    if (looks && step.do === 'dequeue') {
      look(state, step.queue)
      continue
    }
    const given = jobsOf(outcome)
    if (step.do === 'dequeue') known.meetLetters(given, choose(state, step.queue))
    const taken = step.do === 'dequeue' ? known.numbersOf(given) : undefined
    const wanted = outcomeInModel(() => doInModel(state, step, held, FIRST_HOLDER + at, taken))
    if (step.do === 'enqueue')
      for (const [nth, { n }] of jobsOf<ModelJob>(wanted).entries()) known.meet(n, given[nth]?.id)
    const [is, shouldBe] = [
      shownOutcome(outcome, step, (job: Job) => known.shown(job, state), true),
      shownOutcome(wanted, step, shownOfModel, true),
    ].map(withoutOrder)
    if (!areSame(is, shouldBe)) return { order: order.map((one) => one.step.do), step, is, shouldBe }
  }
  for (const [name, jobs] of left) {
    const wanted = choose(state, name)
    known.meetLetters(jobs, wanted)
    const [is, shouldBe] = [jobs.map((job) => known.shown(job, state)), wanted.map(shownOfModel)].map(byNumber)
    if (!areSame(is, shouldBe)) return { order: order.map(({ step }) => step.do), queue: name, is, shouldBe }
  }
  return null
}

/** Payloads may have no prototype. */
function areSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(structuredClone(one), structuredClone(other))
}

/** Holders of steps before have lower numbers. */
const FIRST_HOLDER = 1_000

function outcomeInModel(work: () => unknown): Outcome {
  try {
    return { gave: work() }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { refused: error.code }
  }
}

function jobsOf<T = Job>(outcome: Outcome): readonly T[] {
  return 'gave' in outcome && Array.isArray(outcome.gave) ? outcome.gave : []
}

/** Several that are taken at once come in the order of their parts of a second; one that is named by its id may be gone, or another's by then. */
function withoutOrder(outcome: unknown): unknown {
  const { gave, refused } = outcome as { gave?: unknown; refused?: string }
  if (Array.isArray(gave) && typeof gave[0] === 'object') return byNumber(gave as Shown[])
  return refused === 'NOT_FOUND' ? { refused: 'LEASE_LOST' } : outcome
}

function byNumber(jobs: readonly Shown[]): Shown[] {
  return jobs.toSorted((left, right) => left.n - right.n)
}
