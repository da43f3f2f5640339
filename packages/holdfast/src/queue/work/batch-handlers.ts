import type { Session } from '../../backend/index.ts'
import type { Audience } from '../job/audience.ts'
import { tellRunning } from '../job/channels.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { type Ending, endingOf, type Jobs, runLimited, shortestTimeout, timeoutOf } from './attempt.ts'
import { AttemptContext, type JobTransaction } from './attempt-context.ts'
import type { Handler, ManyContext, ManyHandler } from './handler.ts'
import type { LaterTransaction, WorkerHost } from './host.ts'
import type { Interruption } from './interruption.ts'
import { resultOf } from './result.ts'
import { settleMany } from './settle-many.ts'

/** What becomes of jobs. */
export type Endings = ReadonlyMap<Job, Ending>

/** How the jobs of a batch are handled in its transaction. */
export interface BatchHandler {
  /** Whether they are handled together, so that what goes wrong is about all of them. */
  readonly together: boolean
  /** Runs the handler; gives what becomes of each job. When it rejects, that is about all of them. */
  handle(jobs: Jobs, interruption: Interruption, transaction: LaterTransaction<unknown>): Promise<Endings>
}

/** Calls a handler of many jobs once with all of them. */
export function allAtOnce(scope: QueueScope, handler: ManyHandler<unknown, unknown>): BatchHandler {
  const handle: BatchHandler['handle'] = (jobs, interruption, transaction) => {
    const context: ManyContext<unknown> = {
      get tx() {
        return transaction.tx
      },
      get signal() {
        return interruption.signal
      },
    }
    const work = async () => settleMany(scope, jobs, interruption, await handler(jobs, context))
    const timeoutMs = shortestTimeout(jobs, scope.declaration)
    return runLimited(timeoutMs, interruption, () => interruption.heeded(() => tellRunning(jobs, work)))
  }
  return { together: true, handle }
}

/**
 * Calls a handler of one job with each of them, one after the other, each call in a savepoint that begins when it is used; none any more once it
 * is interrupted or the transaction is broken.
 */
export function oneByOne(
  scope: QueueScope,
  host: WorkerHost<unknown>,
  handler: Handler<unknown, unknown>,
  audience: Audience,
): BatchHandler {
  const handleOne = async (job: Job, batch: Session, interruption: Interruption): Promise<Ending> => {
    const part = host.openLater({ within: batch })
    try {
      const context = new AttemptContext(job, batch, interruption, new PartOfBatch(part), audience)
      const handle = () => part.run(() => handler(job, context))
      const call = () => interruption.heeded(() => tellRunning([job], handle))
      const given = await runLimited(timeoutOf(job, scope.declaration), interruption, call)
      const result = resultOf(scope, given)
      if (part.end()) await part.commit(async () => undefined)
      return { kind: 'completed', result, committed: false }
    } catch (error) {
      await part.rollback()
      return endingOf(error, interruption, job)
    }
  }
  const handle: BatchHandler['handle'] = async (jobs, interruption, transaction) => {
    const endings = new Map<Job, Ending>()
    for (const job of jobs) {
      if (interruption.aborted || transaction.broken) endings.set(job, { kind: 'unbegun', committed: false })
      else endings.set(job, await handleOne(job, transaction.session, interruption.part()))
    }
    return endings
  }
  return { together: false, handle }
}

/** The savepoint of one job: whatever is written for the job is written there. */
class PartOfBatch implements JobTransaction {
  readonly used = true
  readonly #part: LaterTransaction<unknown>

  constructor(part: LaterTransaction<unknown>) {
    this.#part = part
  }

  get session(): Session {
    return this.#part.session
  }

  get tx(): unknown {
    return this.#part.tx
  }
}
