import type { Session } from '../../backend/index.ts'
import { tellRunning } from '../job/channels.ts'
import type { QueueScope } from '../job/scope.ts'
import type { Ending, Jobs } from './attempt.ts'
import { type Handler, type HandlerContext, type ManyContext, type ManyHandler, storableJson } from './handler.ts'
import type { WorkerHost } from './host.ts'
import type { Interruption } from './interruption.ts'
import { resultOf } from './result.ts'
import { settleMany } from './settle-many.ts'

/** How the jobs of a batch are handled inside its transaction. */
export interface BatchHandler {
  /** Whether it is called once with all jobs of a batch; else once with each. */
  readonly together: boolean
  /** Calls the handler; gives what becomes of each job. When it rejects, that is about all of them. */
  handle(jobs: Jobs, session: Session, interruption: Interruption): Promise<readonly Ending[]>
}

/** Calls a handler once with each job. */
export function oneByOne(
  scope: QueueScope,
  host: WorkerHost<unknown>,
  handler: Handler<unknown, unknown>,
): BatchHandler {
  return {
    together: false,
    async handle(jobs, session, interruption) {
      const [job] = jobs
      const context: HandlerContext<unknown> = {
        tx: host.transactionOf(session),
        get signal() {
          return interruption.signal
        },
        // Nobody could see it before the batch is committed, and by then the job is finished.
        progress: async (value) => void storableJson(value, 'progress'),
        // What is done again after a failure was undone before.
        step: async (_, work) => work(),
      }
      const given = await tellRunning(jobs, async () => handler(job, context))
      return [{ kind: 'completed', result: resultOf(scope, given), committed: true }]
    },
  }
}

/** Calls a handler of many jobs once with all of them. */
export function allAtOnce(
  scope: QueueScope,
  host: WorkerHost<unknown>,
  handler: ManyHandler<unknown, unknown>,
): BatchHandler {
  return {
    together: true,
    async handle(jobs, session, interruption) {
      const context: ManyContext<unknown> = {
        tx: host.transactionOf(session),
        get signal() {
          return interruption.signal
        },
      }
      const given = await tellRunning(jobs, async () => handler(jobs, context))
      const endings = await settleMany(scope, jobs, interruption, given)
      return jobs.map((job) => endings.get(job) as Ending)
    },
  }
}
