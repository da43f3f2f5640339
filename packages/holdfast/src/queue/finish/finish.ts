import type { Session } from '../../backend/index.ts'
import { LeaseLostError } from '../../base/errors.ts'
import { add, set, setNow } from '../../statement/index.ts'
import { pauseMs } from '../job/backoff.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { heldKey, heldRow, heldRows, isLeased } from '../job/held-rows.ts'
import { type Job, type JobError, jobError } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { bringToEnd, REMOVED } from './bring-to-end.ts'
import { completePlainly, endsPlainly, movedAlike } from './complete.ts'
import type { Finishing, Removed } from './finishing.ts'

/**
 * Ends jobs; only those whose lease is still held. Gives their ids. Each ends wholly or not at all.
 *
 * @param ended the ids of those that have ended already: when it fails half-way, those that had by then are among them.
 */
export async function finish(
  scope: QueueScope,
  finishing: readonly Finishing[],
  ended: Set<string> = new Set(),
): Promise<Set<string>> {
  const left = () => finishing.filter(({ job }) => !ended.has(job.id))
  const plain = left().filter(endsPlainly)
  for (const alike of movedAlike(plain)) for (const id of await completePlainly(scope, alike)) ended.add(id)
  const others = left()
  if (others.length > 0) for (const id of await finishWithCare(scope, others)) ended.add(id)
  return ended
}

/**
 * Ends jobs in one transaction, with whatever follows from it.
 *
 * Read committed, because the token is the fence: each row is changed by its holder alone.
 */
async function finishWithCare(scope: QueueScope, finishing: readonly Finishing[]): Promise<ReadonlySet<string>> {
  return scope.session.transaction(async (session) => {
    const removed = await remove(session, finishing)
    await bringToEnd({ ...scope, session }, finishing, removed)
    return new Set(removed.map(({ id }) => id))
  }, OWN)
}

async function remove(session: Session, finishing: readonly Finishing[]): Promise<Removed[]> {
  const leased = finishing.every(({ job }) => isLeased(job))
  const plan = session.plan(heldKey('queue remove', leased), () => ({
    kind: 'delete',
    model: liveJobs.name,
    where: heldRows(leased, 0, 1),
    orderBy: [],
    returning: REMOVED,
  }))
  const tokens = [...new Set(finishing.map(({ job }) => job.token))]
  const { rows } = await session.execute(plan, [finishing.map(({ job }) => job.id), tokens])
  return rows as unknown as Removed[]
}

/**
 * Ends an attempt that failed: the job is tried again after a pause while attempts are left, and has failed for good otherwise.
 *
 * @throws LeaseLostError when somebody else has the job by now.
 */
export async function failAttempt(scope: QueueScope, job: Job, error: unknown, retry: boolean): Promise<void> {
  const failing = failed(scope, job, error)
  const backoffs = [scope.declaration?.options.backoff, job.settings?.backoff]
  const held = isTriedAgain(job, retry)
    ? await putOff(scope.session, failing.job, pauseMs(error, job.attempt, ...backoffs))
    : (await finish(scope, [failing])).has(job.id)
  if (!held) throw leaseLost(job)
}

/** The end of a job that fails for good, with what it failed of among its errors. */
export function failed({ session }: QueueScope, job: Job, error: unknown): Finishing {
  const errors = [...job.errors, jobError(error, job.attempt, session.clock.now())]
  return { job: { ...job, errors }, state: 'failed', result: null }
}

/** Whether a job is tried again whose attempt failed. */
export function isTriedAgain({ attempt, maxAttempts }: Job, retry: boolean): boolean {
  return retry && attempt < maxAttempts
}

/**
 * Puts a job back that is not ready to be run; the attempt does not count.
 *
 * @throws LeaseLostError when somebody else has the job by now.
 */
export async function snoozeJob({ session }: QueueScope, job: Job, ms: number): Promise<void> {
  if (!(await putOff(session, job, ms, -1))) throw leaseLost(job)
}

/** Makes a job wait for its next attempt; false when its lease is lost. */
async function putOff(session: Session, job: Job, delayMs: number, attempts = 0): Promise<boolean> {
  const leased = isLeased(job)
  const plan = session.plan(heldKey('queue put off', leased), () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [
      set('state', 0),
      set('token', 1),
      setNow('dueAt', 2),
      setNow('runAt', 2),
      set('errors', 3),
      add('attempt', 4),
      set('ready', 1),
    ],
    where: heldRow(leased, 5, 6),
    orderBy: [],
    returning: [],
  }))
  const plusMs = clockOffsetMs(session) + delayMs
  const errors: readonly JobError[] = job.errors
  // Without a lease, its row does not know yet that it was taken.
  const counted = leased ? attempts : attempts + 1
  const parameters = ['scheduled', null, plusMs, errors, counted, job.id, job.token]
  return (await session.execute(plan, parameters)).count > 0
}

const lost = new WeakMap<LeaseLostError, string>()

/** The error for a job whose lease is no longer the caller's. */
export function leaseLost(job: Pick<Job, 'id' | 'queue'>, cancelled = false): LeaseLostError {
  const error = new LeaseLostError(`${cancelled ? 'The' : 'the'} job ${job.id} of ${job.queue}`, cancelled)
  lost.set(error, job.id)
  return error
}

/** Whether it was the lease of this job that was lost, and not that of another one which its handler took. */
export function isAbout(error: LeaseLostError, job: Pick<Job, 'id'>): boolean {
  return lost.get(error) === job.id
}
