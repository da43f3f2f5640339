import fc from 'fast-check'
import type { Asked, Chosen } from './jobs.ts'
import { HOUR_MS, hours, QUEUES, type Release } from './queues.ts'

/** Something done to the queues. Jobs are named by numbers that are counted round among those there are when it is done. */
export type Step =
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'release'; readonly queue: string; readonly release: Release }
  | { readonly do: 'enqueue'; readonly queue: string; readonly jobs: readonly Asked[]; readonly many: boolean }
  | { readonly do: 'dequeue'; readonly queue: string; readonly count: number; readonly leaseMs: number }
  | ({ readonly do: 'acknowledge'; readonly result: unknown } & OfHeld)
  | ({ readonly do: 'fail'; readonly message: string; readonly retry: boolean } & OfHeld)
  | ({ readonly do: 'extend'; readonly leaseMs: number } & OfHeld)
  | { readonly do: 'cancel'; readonly job: number }
  | { readonly do: 'retry'; readonly job: number }
  | { readonly do: 'reschedule'; readonly job: number; readonly to: { delayMs?: number; priority?: number } }
  | { readonly do: 'updateData'; readonly job: number; readonly data: unknown }
  | { readonly do: 'cancelMany'; readonly queue: string; readonly chosen: Chosen & { limit?: number } }
  | { readonly do: 'retryMany'; readonly queue: string; readonly chosen: Chosen & { state?: 'failed' | 'cancelled' } }
  | { readonly do: 'purge'; readonly queue: string; readonly chosen: Chosen & { agoMs?: number } }
  | { readonly do: 'pause'; readonly queue: string; readonly forMs?: number }
  | { readonly do: 'resume' | 'prune' | 'stats'; readonly queue: string }
  | { readonly do: 'list'; readonly queue: string; readonly chosen: Chosen; readonly first: number }
  /** Calls that are made at once, outside of transactions. */
  | { readonly do: 'gather'; readonly steps: readonly Step[] }
  | { readonly do: 'transaction'; readonly steps: readonly Step[]; readonly commits: boolean }

/** A job that was taken, counted from the last one, by itself or by its id. */
interface OfHeld {
  readonly held: number
  readonly byId: boolean
}

const duration = fc.nat(2).map(hours)
const one = fc.nat(1_000)
const group = fc.constantFrom('a', 'b')
const key = fc.constantFrom('k', 'l')
const tags = fc.subarray(['x', 'y'])
const data = fc.record({ v: fc.nat(2) })
const priority = fc.integer({ min: -1, max: 2 })

/** Some of the parts are given, each every second time. */
function sometimes<T extends object>(parts: { [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(parts, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>
}

/** What may be asked of a job, besides its payload. */
const ASKED: Readonly<Record<string, fc.Arbitrary<object>>> = {
  priority: fc.record({ priority }),
  maxAttempts: fc.record({ maxAttempts: fc.integer({ min: 1, max: 3 }) }),
  startWithinMs: fc.record({ startWithinMs: duration }),
  delayMs: fc.record({ delayMs: duration }),
  group: fc.record({ group }),
  tags: fc.record({ tags }),
  after: fc.record(
    { after: fc.array(one, { minLength: 1, maxLength: 3 }), onFailure: fc.constantFrom('fail', 'run') },
    { requiredKeys: ['after'] },
  ),
  key: fc.oneof(
    fc.record({ key }),
    fc.record({ key, windowMs: duration }),
    fc.record({ key, onDuplicate: fc.constant('replace') }),
    fc.record({ key, onDuplicate: fc.constant('debounce'), windowMs: duration }),
  ),
}

function askedOf(options: readonly string[]): fc.Arbitrary<Asked> {
  const chances = options.map((name) => fc.option(ASKED[name] as fc.Arbitrary<object>, { freq: 3, nil: {} }))
  return fc.tuple(data, ...chances).map(([payload, ...given]) => {
    const { delayMs, ...job } = Object.assign({ data: payload }, ...given) as Asked
    return job.onDuplicate === 'debounce' || delayMs === undefined ? job : { ...job, delayMs }
  })
}

const ofHeld = { held: fc.oneof({ weight: 2, arbitrary: fc.nat(2) }, one), byId: fc.boolean() }
const filter = { group, key, tags, data: fc.record({ v: fc.nat(2) }) }
const live = fc.constantFrom('waiting', 'scheduled', 'blocked', 'active')
const ended = fc.constantFrom('completed', 'failed', 'cancelled')

/** How often each step comes in a run in which it comes. */
const OFTEN: Readonly<Record<Step['do'], number>> = {
  advance: 4,
  release: 5,
  enqueue: 8,
  dequeue: 8,
  acknowledge: 8,
  fail: 6,
  extend: 1,
  cancel: 2,
  retry: 3,
  reschedule: 2,
  updateData: 1,
  cancelMany: 1,
  retryMany: 1,
  purge: 1,
  pause: 1,
  resume: 2,
  prune: 1,
  stats: 1,
  list: 1,
  gather: 4,
  transaction: 4,
}

/** What a run may be made of. */
interface Chances {
  readonly queue: fc.Arbitrary<string>
  readonly asked: fc.Arbitrary<Asked>
  readonly steps: readonly string[]
}

function stepsOf(chances: Chances, depth: number): fc.Arbitrary<Step> {
  const { queue, asked, steps } = chances
  const parts: Record<Step['do'], Record<string, fc.Arbitrary<unknown>>> = {
    advance: { ms: fc.integer({ min: 1, max: 3 }).map((count) => count * HOUR_MS) },
    release: {
      queue,
      release: fc.record({ version: fc.constantFrom(1, 2, 3, 3), upgrades: fc.constantFrom(true, true, false) }),
    },
    enqueue: { queue, jobs: fc.array(asked, { minLength: 1, maxLength: 3 }), many: fc.boolean() },
    dequeue: { queue, count: fc.integer({ min: 1, max: 3 }), leaseMs: duration },
    acknowledge: { ...ofHeld, result: fc.constantFrom(undefined, { ok: true }) },
    fail: { ...ofHeld, message: fc.constantFrom('one', 'two'), retry: fc.boolean() },
    extend: { ...ofHeld, leaseMs: duration },
    cancel: { job: one },
    retry: { job: one },
    reschedule: {
      job: one,
      to: fc.oneof(
        fc.record({ delayMs: fc.oneof(fc.constant(0), duration) }),
        fc.record({ priority }),
        fc.record({ delayMs: duration, priority }),
      ),
    },
    updateData: { job: one, data },
    cancelMany: { queue, chosen: sometimes({ ...filter, state: live, limit: fc.integer({ min: 1, max: 3 }) }) },
    retryMany: { queue, chosen: sometimes({ ...filter, state: fc.constantFrom('failed', 'cancelled') }) },
    purge: { queue, chosen: sometimes({ ...filter, state: ended, agoMs: duration }) },
    pause: { queue, forMs: fc.option(duration, { nil: undefined }) },
    resume: { queue },
    prune: { queue },
    stats: { queue },
    list: {
      queue,
      chosen: sometimes({ ...filter, state: fc.oneof(live, ended) }),
      first: fc.integer({ min: 1, max: 4 }),
    },
    gather:
      depth === DEPTH
        ? { steps: fc.oneof(...GATHERED.map((some) => gathered(stepsOf({ ...chances, steps: some }, ALONE)))) }
        : {},
    transaction:
      depth <= 0
        ? {}
        : { steps: fc.array(stepsOf(chances, depth - 1), { minLength: 1, maxLength: 5 }), commits: fc.boolean() },
  }
  const isFit = (name: string) =>
    ((depth !== ALONE && ALWAYS.includes(name)) || steps.includes(name)) &&
    (depth > 0 || name !== 'transaction') &&
    (depth === DEPTH || !OUTERMOST.includes(name))
  return fc.oneof(
    ...Object.entries(OFTEN)
      .filter(([name]) => isFit(name))
      .map(([name, weight]) => ({
        weight,
        arbitrary: fc.record({ do: fc.constant(name), ...parts[name as Step['do']] }) as unknown as fc.Arbitrary<Step>,
      })),
  )
}

/** Transactions in transactions. */
const DEPTH = 2
/** What is done in no transaction. */
const OUTERMOST = ['advance', 'release', 'gather']
/** What is done at once with others, and only so. */
const ALONE = -1
/** What is done at once: calls of the same kind become one statement where a database has one for them. */
const GATHERED = [['enqueue'], ['acknowledge'], ['enqueue', 'acknowledge', 'fail']]

/** Steps that are done at once; those about jobs that were taken are about different ones. */
function gathered(step: fc.Arbitrary<Step>): fc.Arbitrary<readonly Step[]> {
  const steps = fc.array(step, { minLength: 2, maxLength: 4 })
  return steps.map((some) => some.map((one, at) => ('held' in one ? { ...one, held: at } : one)))
}
const ALWAYS = ['advance', 'enqueue', 'dequeue', 'acknowledge']

/**
 * A run: steps one after the other. In each only some queues, steps and options come, so that what comes meets often: were everything in all
 * of them, they would be much the same.
 */
export const runs: fc.Arbitrary<readonly Step[]> = fc
  .record({
    names: fc.subarray(Object.keys(QUEUES), { minLength: 1, maxLength: 2 }),
    options: fc.subarray(Object.keys(ASKED)),
    steps: fc.subarray(Object.keys(OFTEN)),
  })
  .chain(({ names, options, steps }) => {
    const queue = fc.constantFrom(...names, ...names, ...names, 'letters')
    const step = stepsOf({ queue, asked: askedOf(options), steps }, DEPTH)
    return fc.array(step, { minLength: 1, maxLength: 40, size: 'max' })
  })

/** Steps one after the other, and then some side by side. */
export interface BesideRun {
  readonly before: readonly Step[]
  readonly beside: readonly Step[]
}

/** Of what is done in more than one part: jobs that are late fail once they are taken, and rates of groups put them off. */
const IN_PARTS = {
  queues: ['narrow', 'fair'],
  option: 'startWithinMs',
  steps: ['advance', 'release', 'gather', 'transaction', 'prune', 'stats', 'list'],
}

/** Runs that end side by side. What is done there meets often, so it is about few queues. */
export const besideRuns: fc.Arbitrary<BesideRun> = fc
  .record({
    names: fc.subarray(
      Object.keys(QUEUES).filter((name) => !IN_PARTS.queues.includes(name)),
      { minLength: 1, maxLength: 2 },
    ),
    options: fc.subarray(Object.keys(ASKED).filter((name) => name !== IN_PARTS.option)),
    steps: fc.subarray(Object.keys(OFTEN)),
  })
  .chain(({ names, options, steps }) => {
    const chances = { queue: fc.constantFrom(...names), asked: askedOf(options), steps }
    const beside = stepsOf({ ...chances, steps: Object.keys(OFTEN) }, 0)
    return fc.record({
      before: fc.array(stepsOf(chances, DEPTH), { maxLength: 12, size: 'max' }),
      beside: fc.array(
        beside.filter((step) => !IN_PARTS.steps.includes(step.do)),
        { minLength: 2, maxLength: 3 },
      ),
    })
  })
