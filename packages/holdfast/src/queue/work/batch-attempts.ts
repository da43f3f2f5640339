import { leaseLost } from '../finish/finish.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { type Ending, endingOf, isConflict, type Jobs, MAX_CONFLICTS, type Runner } from './attempt.ts'
import type { BatchHandler } from './batch-handlers.ts'
import type { LaterTransaction, WorkerHost } from './host.ts'
import type { Interruption } from './interruption.ts'
import { writeEndings } from './write-endings.ts'

/** Runs the handlers of batches, each batch in one transaction, which begins when it is used and takes in what becomes of all its jobs. */
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

  async #try(jobs: Jobs, interruption: Interruption): Promise<ReadonlyMap<Job, Ending>> {
    const lost = new Map<Job, Ending>()
    for (let conflicts = 0, held = jobs; ; ) {
      const later = this.#host.openLater()
      interruption.transaction = later
      try {
        return new Map([...lost, ...(await this.#once(held, interruption, later))])
      } catch (error) {
        // What it could not undo, it loses with its connection.
        await later.rollback().catch(() => undefined)
        if (error instanceof JobsLost && !interruption.aborted) {
          for (const job of error.jobs) lost.set(job, { kind: 'lost', error: leaseLost(job) })
          const [first, ...others] = held.filter((job) => !lost.has(job))
          if (first === undefined) return lost
          held = [first, ...others]
        } else if (!isConflict(error) || conflicts++ >= MAX_CONFLICTS || interruption.aborted) {
          return new Map([...lost, ...held.map((job) => [job, endingOf(error, interruption, job)] as const)])
        }
      }
    }
  }

  async #once(
    jobs: Jobs,
    interruption: Interruption,
    later: LaterTransaction<unknown>,
  ): Promise<ReadonlyMap<Job, Ending>> {
    const endings = await later.run(() => this.#handler(jobs, interruption, later))
    const committed = later.end()
    if (committed)
      await later.commit(async (session) => {
        const held = await writeEndings({ ...this.#scope, session }, endings)
        const lost = jobs.filter((job) => !held.has(job.id))
        // What was written for them must not be written twice: it is all done again without them.
        if (lost.length > 0) throw new JobsLost(lost)
      })
    return new Map([...endings].map(([job, ending]) => [job, { ...ending, committed } as Ending]))
  }
}

/** Some of the jobs are held by others by now, or were cancelled. */
class JobsLost extends Error {
  readonly jobs: readonly Job[]

  constructor(jobs: readonly Job[]) {
    super('Leases of jobs were lost.')
    this.jobs = jobs
  }
}
