import { end, follow } from './ending.ts'
import { type Chosen, choose, isLive, type ModelJob, releaseOf, type State } from './jobs.ts'
import { QUEUES } from './queues.ts'

const DAY_MS = 86_400_000

export function cancel(state: State, n: number): boolean {
  const job = state.jobs[n] as ModelJob
  if (!isLive(job)) return false
  end(state, [job], 'cancelled')
  return true
}

export function cancelMany(state: State, queue: string, { limit, ...chosen }: Chosen & { limit?: number }): number {
  const jobs = choose(state, queue, chosen).filter(isLive).slice(0, limit)
  end(state, jobs, 'cancelled')
  return jobs.length
}

export function retry(state: State, n: number): boolean {
  const job = state.jobs[n] as ModelJob
  return !job.gone && queueAgain(state, job.queue, [job]) > 0
}

export function retryMany(state: State, queue: string, chosen: Chosen & { state?: 'failed' | 'cancelled' }): number {
  return queueAgain(state, queue, choose(state, queue, { state: 'failed', ...chosen }))
}

/** Makes failed and cancelled jobs wait again, with all their attempts; of several with one key the one that ended last. */
function queueAgain(state: State, queue: string, jobs: readonly ModelJob[]): number {
  const ended = jobs.filter((job) => ['failed', 'cancelled'].includes(job.state))
  const latest = ended.sort((left, right) => (right.finishedAt as number) - (left.finishedAt as number))
  const keys = new Set(
    choose(state, queue)
      .filter(isLive)
      .map(({ key }) => key),
  )
  const chosen = latest.filter(({ key }) => {
    const isFree = key === null || !keys.has(key)
    keys.add(key)
    return isFree
  })
  for (const job of chosen) Object.assign(job, { state: 'waiting', finishedAt: null, attempt: 0 })
  for (const job of chosen) job.awaited = state.jobs.some((other) => isLive(other) && other.behind.includes(job.n))
  // Of those that would come after each other the one that was added first does.
  for (const job of chosen.toSorted((left, right) => left.n - right.n))
    for (const n of job.after) if (isLive(state.jobs[n] as ModelJob) && !isBehind(state, n, job.n)) job.behind.push(n)
  for (const job of chosen) {
    for (const n of job.behind) (state.jobs[n] as ModelJob).awaited = true
    job.waitsFor = job.group === null && job.behind.length === 0 ? 'worker' : 'jobs'
    Object.assign(job, { runAt: state.now, dueAt: state.now })
  }
  follow(
    state,
    chosen.flatMap(({ group }) => (group === null ? [] : [{ kind: 'group', queue, group } as const])),
  )
  return chosen.length
}

/** Whether a job comes after another, or is it. */
function isBehind(state: State, n: number, first: number): boolean {
  const all = new Set([n])
  for (const one of all) for (const other of (state.jobs[one] as ModelJob).behind) all.add(other)
  return all.has(first)
}

export function reschedule(
  state: State,
  n: number,
  { delayMs, priority }: { delayMs?: number; priority?: number },
): boolean {
  const job = state.jobs[n] as ModelJob
  if (!isLive(job) || job.state === 'active') return false
  if (priority !== undefined) job.priority = priority
  if (delayMs === undefined) return true
  Object.assign(job, { runAt: state.now + delayMs, dueAt: state.now + delayMs })
  if (job.behind.length === 0) job.waitsFor = 'time'
  return true
}

export function updateData(state: State, n: number, data: unknown): boolean {
  const job = state.jobs[n] as ModelJob
  if (!isLive(job) || job.state === 'active') return false
  Object.assign(job, { data, version: releaseOf(state, job.queue).version })
  return true
}

export function pause(state: State, queue: string, forMs: number | undefined): void {
  const until = forMs === undefined ? Number.POSITIVE_INFINITY : state.now + forMs
  const longest = Math.max(until, ...state.pauses.filter((one) => one.queue === queue).map((one) => one.until))
  resume(state, queue)
  state.pauses.push({ queue, until: longest })
}

export function resume(state: State, queue: string): void {
  state.pauses = state.pauses.filter((one) => one.queue !== queue)
}

export function purge(state: State, queue: string, { agoMs, ...chosen }: Chosen & { agoMs?: number }): number {
  const before = agoMs === undefined ? Number.POSITIVE_INFINITY : state.now - agoMs
  return forget(choose(state, queue, chosen).filter((job) => !isLive(job) && (job.finishedAt as number) < before))
}

/** Forgets what the queue does not keep: what is too old, and what is too much. */
export function prune(state: State, queue: string): number {
  return forget(
    KEPT.flatMap(({ has, ms, most }) => {
      const jobs = finishedLastFirst(state, queue, has)
      const bound = most(queue)
      if (bound === 0) return jobs
      const oldest = jobs[(bound ?? 0) - 1]?.finishedAt ?? Number.NEGATIVE_INFINITY
      return jobs.filter(({ finishedAt }) => finishedAt + ms(queue) <= state.now || finishedAt < oldest)
    }),
  )
}

/** Whether it hangs on parts of a second which jobs are too many: some that finished in one step, and others of that step. */
export function prunesAnyOf(state: State, queue: string): boolean {
  return KEPT.some(({ has, most }) => {
    const jobs = finishedLastFirst(state, queue, has)
    const bound = most(queue)
    return bound !== undefined && jobs[bound]?.finishedAt === jobs[bound - 1]?.finishedAt && jobs.length > bound
  })
}

const KEPT = [
  {
    has: ({ state }: ModelJob) => state === 'completed' || state === 'cancelled',
    ms: (queue: string) => QUEUES[queue]?.keep?.completedMs ?? 7 * DAY_MS,
    most: (queue: string) => QUEUES[queue]?.keep?.completed,
  },
  {
    has: ({ state }: ModelJob) => state === 'failed',
    ms: (queue: string) => QUEUES[queue]?.keep?.failedMs ?? 30 * DAY_MS,
    most: (queue: string) => QUEUES[queue]?.keep?.failed,
  },
]

function finishedLastFirst(state: State, queue: string, has: (job: ModelJob) => boolean) {
  const jobs = choose(state, queue).filter((job) => !isLive(job) && has(job)) as (ModelJob & { finishedAt: number })[]
  return jobs.sort((left, right) => right.finishedAt - left.finishedAt)
}

function forget(jobs: readonly ModelJob[]): number {
  for (const job of jobs) job.gone = true
  return jobs.length
}

export function stats(state: State, queue: string) {
  const count = (chosen: NonNullable<Chosen['state']>) => choose(state, queue, { state: chosen }).length
  return {
    waiting: count('waiting'),
    scheduled: count('scheduled'),
    blocked: count('blocked'),
    active: count('active'),
    completed: count('completed'),
    failed: count('failed'),
    cancelled: count('cancelled'),
  }
}

/** For how long the job has waited past its time that can be taken and has waited longest. */
export function latency(state: State, queue: string): number {
  const since = choose(state, queue)
    .filter(({ waitsFor }) => waitsFor === 'worker')
    .map(({ runAt }) => runAt)
  return since.length === 0 ? 0 : Math.max(0, state.now - Math.min(...since))
}
