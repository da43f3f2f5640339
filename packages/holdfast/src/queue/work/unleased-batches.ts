import { UnknownOutcomeError } from '../../base/errors.ts'
import { claimByLocks } from '../claim/claim-by-locks.ts'
import { Frontier } from '../claim/frontier.ts'
import { untilWritten } from '../finish/until-written.ts'
import { JobsGone } from '../job/held-rows.ts'
import type { Job } from '../job/job.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { type Ending, isConflict, type Jobs } from './attempt.ts'
import type { BatchHandler, Endings } from './batch-handlers.ts'
import type { LaterTransaction, WorkerHost } from './host.ts'
import type { Interruption } from './interruption.ts'
import { isWritten } from './is-written.ts'
import { Presence } from './presence.ts'
import { writeEndings } from './write-endings.ts'

/** For how long it is tried to find out whether a batch was committed. */
const ASKED_MS = 30_000

/** A batch whose rows are locked by a transaction, which runs and completes it. */
export interface UnleasedBatch {
  readonly jobs: readonly Job[]
  /** Runs the handlers and commits what became of the jobs; never rejects. Undone, they wait again, as if nobody had taken them. */
  run(jobs: Jobs, interruption: Interruption): Promise<readonly Ending[]>
  /** Lets the rows go. */
  giveBack(): Promise<void>
}

const UNBEGUN: Ending = { kind: 'unbegun', committed: true }

/**
 * Takes, runs and completes batches each in one transaction, so that nothing is written for the taking. Only while all goes well: whenever a
 * batch was undone, has jobs that cannot be run, or workers were lost, the next one is to be taken under leases, where every attempt is counted
 * and jobs that do harm are found out.
 */
export class UnleasedBatches {
  readonly #scope: QueueScope
  readonly #host: WorkerHost<unknown>
  readonly #handler: BatchHandler
  readonly #presence: Presence
  readonly #report: (error: unknown) => void
  readonly #frontier = new Frontier()
  #leaseNext = false

  constructor(
    scope: QueueScope,
    host: WorkerHost<unknown>,
    handler: BatchHandler,
    leaseMs: number,
    report: (error: unknown) => void,
  ) {
    this.#scope = scope
    this.#host = host
    this.#handler = handler
    this.#presence = new Presence(scope, leaseMs, report)
    this.#report = report
  }

  /** Takes a batch, perhaps of no jobs; undefined where it is to be taken under leases. */
  async take(count: number): Promise<UnleasedBatch | undefined> {
    await this.#presence.begin()
    if (this.#leaseNext || this.#presence.othersWereLost) {
      this.#leaseNext = false
      return undefined
    }
    const later = this.#host.openLater(OWN)
    const giveBack = () => later.rollback()
    try {
      const scope = { ...this.#scope, session: later.session }
      const jobs = await claimByLocks(scope, count, this.#frontier)
      if (jobs === undefined || jobs.length === 0) await giveBack()
      return jobs && { jobs, giveBack, run: (...given) => this.#run(...given, later) }
    } catch (error) {
      await giveBack().catch(() => undefined)
      throw error
    }
  }

  /** Takes no more: nobody will miss this worker. */
  end(): Promise<void> {
    return this.#presence.end()
  }

  /** Whether a batch was committed whose commit was not replied to. One that ended no job is taken for undone: its jobs say nothing else. */
  async #isCommitted(endings: Endings): Promise<boolean> {
    for (const [job, ending] of endings)
      if (ending.kind === 'completed' || ending.kind === 'failed') {
        const asked = await untilWritten(() => isWritten(this.#scope, job, ending), ASKED_MS).catch(this.#report)
        return asked?.value === true
      }
    return false
  }

  async #run(jobs: Jobs, interruption: Interruption, later: LaterTransaction<unknown>): Promise<readonly Ending[]> {
    interruption.transaction = later
    let endings: Endings = new Map()
    try {
      endings = await later.run(() => this.#handler.handle(jobs, interruption, later))
      later.end()
      await later.commit((session) => writeAll({ ...this.#scope, session }, endings))
      return asCommitted(jobs, endings)
    } catch (error) {
      // What it could not undo, it loses with its connection.
      await later.rollback().catch(() => undefined)
      if (error instanceof UnknownOutcomeError && (await this.#isCommitted(endings))) return asCommitted(jobs, endings)
      this.#leaseNext = true
      if (!isConflict(error) && !(error instanceof JobsGone)) this.#report(error)
      return jobs.map(() => UNBEGUN)
    }
  }
}

function asCommitted(jobs: Jobs, endings: Endings): Ending[] {
  return jobs.map((job) => ({ ...(endings.get(job) as Ending), committed: true }) as Ending)
}

/** @throws JobsGone where a handler did something about the jobs of the batch by itself: what it wrote must be undone with that. */
async function writeAll(scope: QueueScope, endings: Endings): Promise<void> {
  const all = [...endings]
  const isBegun = ([, { kind }]: readonly [Job, Ending]) => kind !== 'unbegun'
  const begun = all.every(isBegun) ? endings : new Map(all.filter(isBegun))
  if ((await writeEndings(scope, begun)).size < begun.size) throw new JobsGone()
}
