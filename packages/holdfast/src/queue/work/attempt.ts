import { LeaseLostError, SerializationError, TimeoutError, UnknownOutcomeError } from '../../base/errors.ts'
import { pauseBefore } from '../../base/retry.ts'
import { timerMs } from '../../base/timer.ts'
import { finish, isAbout, leaseLost } from '../finish/finish.ts'
import type { Audience } from '../job/audience.ts'
import { tellRunning } from '../job/channels.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { AttemptContext } from './attempt-context.ts'
import { Discard, Snooze } from './endings.ts'
import type { Handler } from './handler.ts'
import type { LaterTransaction, WorkerHost } from './host.ts'
import type { Interruption } from './interruption.ts'
import { resultOf } from './result.ts'

/** How often a handler runs again because its transaction met another one; that does not count as a failure of the job. */
export const MAX_CONFLICTS = 20

/** What an attempt came to. `committed`: with the writes of the handler's transaction; else it is still to be written down. */
export type Ending =
  | { readonly kind: 'completed'; readonly result: unknown; readonly committed: boolean }
  | ({ readonly kind: 'snoozed'; readonly ms: number; readonly committed: boolean } & Doubtful)
  | ({
      readonly kind: 'failed'
      readonly error: unknown
      readonly retry: boolean
      readonly committed: boolean
    } & Doubtful)
  /** Its handler was not called, because the worker was stopped. */
  | ({ readonly kind: 'unbegun'; readonly committed: boolean } & Doubtful)
  /** Somebody else has the job, or it was cancelled. */
  | { readonly kind: 'lost'; readonly error: LeaseLostError }

/** An ending that is written down. */
export type WrittenEnding = Exclude<Ending, { readonly kind: 'lost' }>

type Completed = Extract<Ending, { readonly kind: 'completed' }>

/** What an attempt came to, should its transaction have been committed, where nobody knows that. */
interface Doubtful {
  readonly ifCommitted?: WrittenEnding
}

/** Runs handlers with what a worker took for them. */
export interface Runner {
  /** How many jobs a handler is given at most. */
  readonly most: number
  /** Runs a handler. Never rejects; a handler that does not end although its signal aborted is given up. */
  run(jobs: Jobs, interruption: Interruption): Promise<readonly Ending[]>
}

/** What a handler is given: one job, or several where it takes many. */
export type Jobs = readonly [Job, ...Job[]]

/** Runs handlers of one job each, in a transaction that begins when it is used. */
export class Attempts implements Runner {
  readonly most = 1
  readonly #scope: QueueScope
  readonly #host: WorkerHost<unknown>
  readonly #handler: Handler<unknown, unknown>
  readonly #audience: Audience

  constructor(scope: QueueScope, host: WorkerHost<unknown>, handler: Handler<unknown, unknown>, audience: Audience) {
    this.#scope = scope
    this.#host = host
    this.#handler = handler
    this.#audience = audience
  }

  run([job]: Jobs, interruption: Interruption): Promise<readonly [Ending]> {
    return runLimited(timeoutOf(job, this.#scope.declaration), interruption, () => this.#try(job, interruption))
  }

  async #try(job: Job, interruption: Interruption): Promise<readonly [Ending]> {
    for (let conflicts = 0; ; conflicts++) {
      const later = this.#host.openLater()
      interruption.transaction = later
      try {
        const given = await interruption.heeded(() => this.#handle(job, interruption, later))
        const result = resultOf(this.#scope, given)
        const ending: Completed = { kind: 'completed', result, committed: later.end() }
        return [ending.committed ? await this.#commit(job, ending, later) : ending]
      } catch (error) {
        // What it could not undo, it loses with its connection.
        await later.rollback().catch(() => undefined)
        if (!isConflict(error) || conflicts >= MAX_CONFLICTS || interruption.aborted)
          return [endingOf(error, interruption, job)]
        await pauseBefore(conflicts + 1)
      }
    }
  }

  #handle(job: Job, interruption: Interruption, later: LaterTransaction<unknown>): unknown {
    const context = new AttemptContext(job, this.#scope.session, interruption, later, this.#audience)
    const handle = () => later.run(() => this.#handler(job, context))
    return tellRunning([job], handle)
  }

  /** Ends the job in the transaction of its handler. */
  async #commit(job: Job, ending: Completed, later: LaterTransaction<unknown>): Promise<Ending> {
    try {
      await later.commit(async (session) => {
        const held = await finish({ ...this.#scope, session }, [{ job, state: 'completed', result: ending.result }])
        if (!held.has(job.id)) throw leaseLost(job)
      })
      return ending
    } catch (error) {
      if (error instanceof UnknownOutcomeError) return doubtful(ending, error)
      throw error
    }
  }
}

/** How long an attempt of a job may take; undefined for no bound. */
export function timeoutOf(job: Job, declaration: QueueScope['declaration']): number | undefined {
  return job.settings?.timeoutMs ?? declaration?.options.timeoutMs
}

/** How long an attempt of several jobs may take: as long as that of the most impatient of them. */
export function shortestTimeout(jobs: Jobs, declaration: QueueScope['declaration']): number | undefined {
  if (jobs.length === 1) return timeoutOf(jobs[0], declaration)
  const bounds = jobs.flatMap((job) => timeoutOf(job, declaration) ?? [])
  return bounds.length === 0 ? undefined : Math.min(...bounds)
}

/** Runs the work of a handler with a bound on its time, where there is one. */
export function runLimited<T>(
  timeoutMs: number | undefined,
  interruption: Interruption,
  work: () => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return work()
  const timer = setTimeout(() => interruption.abort(new TimeoutError('The job', timeoutMs)), timerMs(timeoutMs))
  return work().finally(() => clearTimeout(timer))
}

/** What an attempt came to that threw. */
export function endingOf(error: unknown, interruption: Interruption, job: Job): Ending {
  if (error instanceof Snooze) return { kind: 'snoozed', ms: error.ms, committed: false }
  if (error instanceof Discard) return { kind: 'failed', error, retry: false, committed: false }
  const reason = interruption.aborted ? interruption.reason : error
  if (reason instanceof LeaseLostError) return { kind: 'lost', error: reason }
  if (error instanceof LeaseLostError && isAbout(error, job)) return { kind: 'lost', error }
  return { kind: 'failed', error: reason instanceof TimeoutError ? reason : error, retry: true, committed: false }
}

/** What an attempt came to whose transaction may have been committed: if it was not, it has failed where it would have completed its job. */
export function doubtful(ending: Ending, error: UnknownOutcomeError): Ending {
  if (ending.kind === 'lost') return ending
  const ifCommitted = { ...ending, committed: true }
  if (ending.kind === 'completed') return { kind: 'failed', error, retry: true, committed: false, ifCommitted }
  return { ...ending, committed: false, ifCommitted }
}

/** Whether a transaction could not be put in an order with another one, perhaps seen behind an error of the handler. */
export function isConflict(error: unknown): boolean {
  return error instanceof SerializationError || (error instanceof Error && error.cause instanceof SerializationError)
}
