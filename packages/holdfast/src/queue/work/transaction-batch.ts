import type { Row, Session } from '../../backend/index.ts'
import { examined } from '../claim/bury.ts'
import { removeWaiting } from '../claim/claim.ts'
import { bringToEnd } from '../finish/bring-to-end.ts'
import { isTriedAgain } from '../finish/finish.ts'
import type { Finishing, Removed } from '../finish/finishing.ts'
import { pauseMs } from '../job/backoff.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { live } from '../job/find.ts'
import { isSuspect, type Job, jobError, jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { type Ending, endingOf, type Jobs, runLimited, shortestTimeout } from './attempt.ts'
import type { BatchHandler } from './batch-handlers.ts'
import { Interruption } from './interruption.ts'

/** A job that was run, and what came of it. */
export interface Ran {
  readonly job: Job
  readonly ending: Ending
}

/** Undoes the taking of a batch. */
const SUSPECT = new Error('The worker of one of the jobs was lost.')

/**
 * Takes, runs and finishes jobs in one transaction. They are taken by removing them: should the process die, they were never taken.
 * Each call of the handler has a savepoint, set when it first writes.
 */
export class TransactionBatch {
  readonly #scope: QueueScope
  readonly #handler: BatchHandler
  #running: Interruption | undefined
  #aborted: Error | undefined

  constructor(scope: QueueScope, handler: BatchHandler) {
    this.#scope = scope
    this.#handler = handler
  }

  /**
   * Works through up to `count` jobs; gives what came of each once it is committed. After a conflict all run again.
   *
   * @returns nothing, having run none, when the worker of one of them was lost before: such jobs are for workers with leases.
   */
  async run(count: number): Promise<Ran[] | undefined> {
    try {
      return await this.#run(count)
    } catch (error) {
      if (error === this.#aborted) return []
      if (error === SUSPECT) return undefined
      throw error
    }
  }

  /** Aborts the handler that runs; the whole batch is as if it had never been taken. */
  abort(reason: Error): void {
    this.#aborted = reason
    this.#running?.abort(reason)
  }

  #run(count: number): Promise<Ran[]> {
    return this.#scope.session.transaction(async (session) => {
      const scope = { ...this.#scope, session }
      const rows = await removeWaiting(scope, count)
      const jobs = rows.map((row) => jobOf({ ...row, state: 'active', attempt: (row['attempt'] as number) + 1 }))
      if (jobs.some(isSuspect)) throw SUSPECT
      const ran = await this.#runAll(session, jobs)
      await this.#writeDown(scope, ran, new Map(rows.map((row) => [row['id'] as string, row])))
      return ran
    })
  }

  async #runAll(session: Session, taken: readonly Job[]): Promise<Ran[]> {
    const ran: Ran[] = []
    const all: Job[] = []
    for (const job of taken) {
      try {
        all.push(examined(this.#scope, job))
      } catch (error) {
        ran.push({ job, ending: { kind: 'failed', error, retry: false, committed: true } })
      }
    }
    const [first, ...others] = all
    const calls: readonly Jobs[] = this.#handler.together
      ? first === undefined
        ? []
        : [[first, ...others]]
      : all.map((job) => [job] as const)
    for (const jobs of calls) {
      const endings = await this.#attempt(session, jobs)
      for (const [at, job] of jobs.entries()) ran.push({ job, ending: endings[at] as Ending })
    }
    return ran
  }

  async #attempt(session: Session, jobs: Jobs): Promise<readonly Ending[]> {
    if (this.#aborted !== undefined) throw this.#aborted
    const interruption = new Interruption()
    this.#running = interruption
    try {
      return await runLimited(shortestTimeout(jobs, this.#scope.declaration), interruption, () =>
        session.transaction((part) => interruption.heeded(() => this.#handler.handle(jobs, part, interruption))),
      )
    } catch (error) {
      if (this.#aborted !== undefined) throw this.#aborted
      // Should the whole transaction have met another one, then it cannot go on, and all run again.
      return jobs.map((job) => endingOf(error, interruption, job))
    }
  }

  async #writeDown(scope: QueueScope, ran: readonly Ran[], rows: ReadonlyMap<string, Row>): Promise<void> {
    const { session, declaration } = scope
    const finishing: Finishing[] = []
    const putBack: Row[] = []
    const now = session.clock.now()
    for (const { job, ending } of ran) {
      const row = rows.get(job.id) as Row
      if (ending.kind === 'completed') finishing.push({ job, state: 'completed', result: ending.result })
      else if (ending.kind === 'snoozed') putBack.push({ ...row, dueAt: ending.ms })
      else {
        const { error } = ending
        const errors = [...job.errors, jobError(error, job.attempt, now)]
        const again = ending.kind === 'failed' && isTriedAgain(job, ending.retry)
        const dueAt = pauseMs(error, job.attempt, declaration?.options.backoff, job.settings?.backoff)
        if (again) putBack.push({ ...row, attempt: job.attempt, errors, dueAt })
        else finishing.push({ job: { ...job, errors }, state: 'failed', result: null })
      }
    }
    await putBackAll(session, await keysOf(scope, putBack))
    await bringToEnd(scope, finishing, [...rows.values()] as unknown as Removed[])
  }
}

/** Rows without the keys that were enqueued again while they were away: those are of other jobs now. */
async function keysOf({ session, queue }: QueueScope, rows: readonly Row[]): Promise<readonly Row[]> {
  const keys = rows.map((row) => row['key']).filter((key) => key !== null)
  if (keys.length === 0) return rows
  const taken = await live(session).find({ where: { queue, key: { in: keys } } } as never)
  const used = new Set(taken.map((row) => row['key']))
  return rows.map((row) => (used.has(row['key']) ? { ...row, key: null } : row))
}

const COLUMNS = liveJobs.columns.map(({ name }) => name)
const TIMES = new Set(['runAt', 'dueAt'])

/** Jobs that run again after a pause: `dueAt` says how many milliseconds from now. */
async function putBackAll(session: Session, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  const plan = session.plan('queue put back', () => ({
    kind: 'insert',
    model: liveJobs.name,
    columns: COLUMNS.map((column) => ({ column, value: TIMES.has(column) ? 'now' : 'given' })),
    leading: 0,
    returning: [],
  }))
  const offset = clockOffsetMs(session)
  const parameters = rows.flatMap((row) => {
    const at = offset + (row['dueAt'] as number)
    const values: Row = { ...row, state: 'scheduled', ready: null, runAt: at, dueAt: at }
    return COLUMNS.map((column) => values[column])
  })
  await session.execute(plan, parameters)
}
