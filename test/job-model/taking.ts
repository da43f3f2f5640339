import { end, follow } from './ending.ts'
import { byUrgency, choose, type Held, type ModelJob, Refusal, releaseOf, type State } from './jobs.ts'
import { QUEUES, upgrade } from './queues.ts'

/**
 * Takes up to so many jobs. Those that cannot be run have failed instead.
 *
 * @param only those of them that are taken, by somebody who has looked already: whoever takes jobs passes over what others are changing.
 */
export function dequeue(
  state: State,
  queue: string,
  count: number,
  leaseMs: number,
  holder: number,
  only?: ReadonlySet<number>,
): ModelJob[] {
  if (only === undefined) look(state, queue)
  if (only === undefined && state.pauses.some((pause) => pause.queue === queue && pause.until > state.now)) return []
  for (;;) {
    const taken = takeWithinLimits(state, queue, { count, leaseMs, holder, only })
    const dead = taken.filter((job) => reasonOf(state, job) !== null)
    for (const job of dead) {
      const message = reasonOf(state, job) as string
      job.attempt = Math.min(job.attempt, job.maxAttempts)
      job.errors.push({ message, attempt: job.attempt })
    }
    if (dead.length > 0) end(state, dead, 'failed')
    if (dead.length > 0 && dead.length === taken.length) continue
    return taken.filter((job) => !dead.includes(job)).map((job) => opened(state, job) ?? job)
  }
}

/** Whoever takes jobs sees first which ones are due, and whose leases have run out. */
export function look(state: State, queue: string): void {
  const groups = new Set<string>()
  for (const job of choose(state, queue)) {
    if (job.state === 'active' && job.leaseUntil <= state.now)
      Object.assign(job, { state: 'waiting', waitsFor: 'worker', holder: null })
    if (job.waitsFor !== 'time' || job.dueAt > state.now) continue
    job.waitsFor = job.group === null || job.turn ? 'worker' : 'jobs'
    if (job.waitsFor === 'jobs') groups.add(job.group as string)
  }
  follow(
    state,
    [...groups].map((group) => ({ kind: 'group', queue, group })),
  )
}

/** Why a job that was taken cannot be run; null where it can. */
function reasonOf(state: State, job: ModelJob): string | null {
  const { attempt, maxAttempts, runAt, startWithinMs } = job
  if (attempt === 1 && startWithinMs !== null && runAt + startWithinMs <= state.now) return 'late'
  if (attempt > maxAttempts) return 'lost'
  return opened(state, job) === null ? 'version' : null
}

/** A job as whoever takes it is given it; null where its payload cannot be brought to the version of the code. */
function opened(state: State, job: ModelJob): ModelJob | null {
  const { version, upgrades } = releaseOf(state, job.queue)
  if (!upgrades || job.version === 0 || job.version >= version) return job
  try {
    return { ...job, data: upgrade(job.data, job.version), version }
  } catch {
    return null
  }
}

/** Whether any job, queued again or not, would fail once it is taken, because the code cannot bring its payload to its version. */
export function hasUnopened(state: State): boolean {
  return state.jobs.some((job) => !job.gone && opened(state, job) === null)
}

interface Taking {
  readonly count: number
  readonly leaseMs: number
  readonly holder: number
  readonly only: ReadonlySet<number> | undefined
}

function takeWithinLimits(state: State, queue: string, { count, leaseMs, holder, only }: Taking): ModelJob[] {
  const { concurrency, rate, groupRate } = QUEUES[queue] ?? {}
  const places = concurrency === undefined ? count : concurrency - choose(state, queue, { state: 'active' }).length
  const room = Math.min(count, places, rate === undefined ? count : roomIn(state, queue, null, rate))
  const known = releaseOf(state, queue).version
  const taken: ModelJob[] = []
  for (const job of choose(state, queue)
    .filter(({ n, waitsFor, version }) => waitsFor === 'worker' && version <= known && only?.has(n) !== false)
    .sort(byUrgency)) {
    if (taken.length >= room) break
    const { group } = job
    const isDead = reasonOf(state, { ...job, attempt: job.attempt + 1 }) !== null
    if (!isDead && groupRate !== undefined && group !== null && roomIn(state, queue, group, groupRate) === 0) {
      Object.assign(job, { waitsFor: 'time', dueAt: windowOf(state, queue, group).began + groupRate.perMs })
      continue
    }
    taken.push(job)
    Object.assign(job, { state: 'active', waitsFor: null, attempt: job.attempt + 1, holder })
    job.leaseUntil = state.now + leaseMs
    // What does not begin does not count.
    if (isDead) continue
    if (groupRate !== undefined && group !== null) countBegun(state, queue, group, groupRate.perMs)
    if (rate !== undefined) countBegun(state, queue, null, rate.perMs)
  }
  return taken
}

function windowOf(state: State, queue: string, group: string | null) {
  let window = state.rates.find((one) => one.queue === queue && one.group === group)
  if (window === undefined) {
    window = { queue, group, began: 0, used: 0 }
    state.rates.push(window)
  }
  return window
}

/** How many more jobs may begin in the window of a rate that runs now. */
function roomIn(
  state: State,
  queue: string,
  group: string | null,
  { max, perMs }: { max: number; perMs: number },
): number {
  const { began, used } = windowOf(state, queue, group)
  return used > 0 && state.now < began + perMs ? Math.max(0, max - used) : max
}

function countBegun(state: State, queue: string, group: string | null, perMs: number): void {
  const window = windowOf(state, queue, group)
  const runs = window.used > 0 && state.now < window.began + perMs
  Object.assign(window, runs ? { used: window.used + 1 } : { began: state.now, used: 1 })
}

/** The job that is meant: by itself, as it was taken, or by its id, whoever has taken it. */
function heldJob(state: State, held: Held, byId: boolean): ModelJob {
  const job = state.jobs[held.n] as ModelJob
  if (byId && (job.gone || job.state !== 'active')) throw new Refusal('NOT_FOUND')
  if (!byId && job.holder !== held.holder) throw new Refusal('LEASE_LOST')
  return job
}

/** What is kept of a job that ends is the payload that whoever had it was given. */
function keepAsGiven(job: ModelJob, { data, version }: Held): void {
  Object.assign(job, { data, version })
}

export function acknowledge(state: State, held: Held, byId: boolean, result: unknown): void {
  const job = heldJob(state, held, byId)
  if (!byId) keepAsGiven(job, held)
  job.result = result ?? null
  end(state, [job], 'completed')
}

export function fail(state: State, held: Held, byId: boolean, message: string, retry: boolean): void {
  const job = heldJob(state, held, byId)
  job.errors.push({ message, attempt: job.attempt })
  const { kind, firstMs = 0 } = QUEUES[job.queue]?.backoff ?? {}
  const runAt = state.now + firstMs * (kind === 'linear' ? job.attempt : 1)
  if (!retry || job.attempt >= job.maxAttempts) {
    if (!byId) keepAsGiven(job, held)
    end(state, [job], 'failed')
  } else Object.assign(job, { state: 'waiting', waitsFor: 'time', holder: null, runAt, dueAt: runAt })
}

export function extend(state: State, held: Held, byId: boolean, leaseMs: number): void {
  heldJob(state, held, byId).leaseUntil = state.now + leaseMs
}
