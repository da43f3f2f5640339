import { addJob } from './adding.ts'
import { byUrgency, type FollowUp, isLive, type ModelJob, type State } from './jobs.ts'
import { QUEUES } from './queues.ts'

/** Letters are added as by code that does not declare their queue. */
const UNDECLARED = { version: 0, upgrades: false }

/** Ends jobs, with whatever follows: letters, the next of their groups, and those that come after them. */
export function end(state: State, jobs: readonly ModelJob[], how: 'completed' | 'failed' | 'cancelled'): void {
  const noted: FollowUp[] = []
  for (const job of jobs) {
    Object.assign(job, { state: how, waitsFor: null, holder: null, turn: false, behind: [], finishedAt: state.now })
    // Those of which nothing is kept are gone at once, unless there is something to keep for others.
    const forgets = QUEUES[job.queue]?.keep?.completed === 0 && how === 'completed'
    if (forgets && job.result === null && !job.awaited) job.gone = true
    const deadLetter = QUEUES[job.queue]?.deadLetter
    if (how === 'failed' && deadLetter !== undefined) {
      const { n, queue, data, errors } = job
      addJob(state, deadLetter, { data: { of: n, queue, data, errors: [...errors] } }, UNDECLARED)
    }
  }
  for (const { queue, group } of jobs) if (group !== null) noted.push({ kind: 'group', queue, group })
  for (const { queue, n } of jobs) noted.push({ kind: 'end', queue, n, state: how })
  follow(state, noted)
}

/** Does what follows from a change, or notes it in a transaction: then it is done once that is committed. */
export function follow(state: State, noted: readonly FollowUp[]): void {
  if (state.inTransaction) {
    state.noted.push(...noted)
    return
  }
  for (const own of Map.groupBy(noted, ({ queue }) => queue).values()) {
    for (const one of own) if (one.kind === 'group') giveTurns(state, one.queue, one.group)
    settle(
      state,
      own.filter((one) => one.kind === 'end'),
    )
  }
}

/** As many jobs of a group have their turn as may run at once, the first in the order of taking; whose turn it is keeps it until it ends. */
function giveTurns(state: State, queue: string, group: string): void {
  const own = state.jobs.filter((job) => job.queue === queue && job.group === group && isLive(job))
  const free = (QUEUES[queue]?.groupConcurrency ?? 1) - own.filter(({ turn }) => turn).length
  const next = own.filter(({ waitsFor, behind, turn }) => waitsFor === 'jobs' && behind.length === 0 && !turn)
  for (const job of next.sort(byUrgency).slice(0, Math.max(0, free)))
    Object.assign(job, { waitsFor: 'worker', turn: true })
}

/** Jobs that come after those that have ended fail with them, or wait for them no longer. */
function settle(state: State, ended: readonly (FollowUp & { kind: 'end' })[]): void {
  // Those that were queued again before a transaction was committed have not ended.
  const still = ended.filter(({ n }) => !isLive(state.jobs[n] as ModelJob))
  const stateOf = new Map(still.map((one) => [one.n, one.state]))
  const behind = state.jobs.filter((job) => isLive(job) && job.behind.some((n) => stateOf.has(n)))
  const fails = (job: ModelJob) =>
    job.onFailure === 'fail' && job.behind.some((n) => stateOf.has(n) && stateOf.get(n) !== 'completed')
  const doomed = behind.filter(fails)
  const freed: FollowUp[] = []
  for (const job of behind) {
    job.behind = doomed.includes(job) ? [] : job.behind.filter((n) => !stateOf.has(n))
    if (doomed.includes(job) || job.behind.length > 0) continue
    if (job.dueAt > state.now) job.waitsFor = 'time'
    else if (job.group === null) job.waitsFor = 'worker'
    else freed.push({ kind: 'group', queue: job.queue, group: job.group })
  }
  follow(state, freed)
  for (const some of Map.groupBy(doomed, ({ queue }) => queue).values()) {
    for (const job of some) job.errors.push({ message: 'before', attempt: 0 })
    end(state, some, 'failed')
  }
}
