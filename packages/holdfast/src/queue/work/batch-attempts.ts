import { ConnectionError, LeaseLostError, UnknownOutcomeError } from '../../base/errors.ts'
import { pauseBefore } from '../../base/retry.ts'
import { leaseLost } from '../finish/finish.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { doubtful, type Ending, endingOf, isConflict, type Jobs, MAX_CONFLICTS, type Runner } from './attempt.ts'
import type { BatchHandler, Endings } from './batch-handlers.ts'
import type { LaterTransaction, WorkerHost } from './host.ts'
import type { Interruption } from './interruption.ts'
import { writeEndings } from './write-endings.ts'

/** What is known of a transaction that was undone. */
interface Undone {
  readonly error: unknown
  /** What the handlers had come to by then. */
  readonly endings: Endings
  /** Whether a statement had brought it to an end before its commit. */
  readonly broken: boolean
}

/**
 * Runs the handlers of batches, each batch in one transaction, which begins when it is used and takes in what becomes of all its jobs. When it
 * is undone it is run again without the jobs that were lost meanwhile, or whose handler broke it.
 */
export class BatchAttempts implements Runner {
  readonly most: number
  readonly #scope: QueueScope
  readonly #host: WorkerHost<unknown>
  readonly #handler: BatchHandler

  /** @param most how many jobs are in a batch at most. */
  constructor(scope: QueueScope, host: WorkerHost<unknown>, handler: BatchHandler, most: number) {
    this.#scope = scope
    this.#host = host
    this.#handler = handler
    this.most = most
  }

  async run(jobs: Jobs, interruption: Interruption): Promise<readonly Ending[]> {
    const endings = await this.#try(jobs, interruption)
    return jobs.map((job) => endings.get(job) as Ending)
  }

  async #try(jobs: Jobs, interruption: Interruption): Promise<Endings> {
    const settled = new Map<Job, Ending>()
    let left = jobs
    for (let conflicts = 0; ; ) {
      const later = this.#host.openLater()
      interruption.transaction = later
      let endings: Endings = new Map()
      try {
        endings = await later.run(() => this.#handler.handle(left, interruption, later))
        return new Map([...settled, ...(await this.#commit(left, endings, interruption, later))])
      } catch (error) {
        const { broken } = later
        // What it could not undo, it loses with its connection.
        await later.rollback().catch(() => undefined)
        if (isConflict(error) && conflicts++ < MAX_CONFLICTS && !interruption.aborted) {
          await pauseBefore(conflicts)
          continue
        }
        for (const [job, ending] of this.#settle(left, interruption, { error, endings, broken }))
          settled.set(job, ending)
        const [first, ...others] = left.filter((job) => !settled.has(job))
        if (first === undefined) return settled
        left = [first, ...others]
      }
    }
  }

  async #commit(
    jobs: Jobs,
    endings: Endings,
    interruption: Interruption,
    later: LaterTransaction<unknown>,
  ): Promise<Endings> {
    const committed = later.end()
    try {
      if (committed)
        await later.commit(async (session) => {
          const held = await writeEndings({ ...this.#scope, session }, endings)
          const lost = jobs.filter((job) => !held.has(job.id) || interruption.isRetaken(job))
          // What was written for them must not be written twice: it is all done again without them.
          if (lost.length > 0) throw new JobsLost(lost)
        })
    } catch (error) {
      if (!(error instanceof UnknownOutcomeError)) throw error
      return new Map([...endings].map(([job, ending]) => [job, doubtful(ending, error)]))
    }
    return new Map([...endings].map(([job, ending]) => [job, { ...ending, committed } as Ending]))
  }

  /** What becomes of jobs whose transaction was undone; those that nothing becomes of are to run again. */
  #settle(jobs: Jobs, interruption: Interruption, { error, endings, broken }: Undone): Endings {
    const lost = error instanceof JobsLost ? error.jobs : []
    const settled = new Map<Job, Ending>(lost.map((job) => [job, { kind: 'lost', error: leaseLost(job) }]))
    const isStopped = interruption.aborted && !(interruption.reason instanceof LeaseLostError)
    if (lost.length > 0 && !interruption.aborted) return settled
    const isApart = !this.#handler.together && (broken || isStopped)
    if (!isApart) return new Map([...jobs.map((job) => [job, endingOf(error, interruption, job)] as const), ...settled])
    const [last] = jobs.filter((job) => endings.get(job)?.kind !== 'unbegun').slice(-1)
    if (last !== undefined && !settled.has(last))
      settled.set(last, blamed(endings.get(last), endingOf(error, interruption, last)))
    // Nobody else is to blame; while the database is away there is no use in running them again.
    if (isStopped || (error instanceof Error && error.cause instanceof ConnectionError))
      for (const job of jobs) if (!settled.has(job)) settled.set(job, { kind: 'unbegun', committed: false })
    return settled
  }
}

/** What becomes of the job that ran last: what its own handler came to, where that was not undone. */
function blamed(own: Ending | undefined, whole: Ending): Ending {
  return own?.kind === 'failed' || own?.kind === 'snoozed' ? own : whole
}

/** Some of the jobs are held by others by now, or were cancelled. */
class JobsLost extends Error {
  readonly jobs: readonly Job[]

  constructor(jobs: readonly Job[]) {
    super('Leases of jobs were lost.')
    this.jobs = jobs
  }
}
