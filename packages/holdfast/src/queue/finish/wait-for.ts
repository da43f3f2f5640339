import type { Session, Unsubscribe } from '../../backend/index.ts'
import { Bell } from '../../base/bell.ts'
import { ConfigurationError, type Issue, TimeoutError, ValidationError } from '../../base/errors.ts'
import { timerMs } from '../../base/timer.ts'
import { checkKnown, checkMs, checkSignal, checkWhole } from '../../schema/index.ts'
import { all, equals, not, set } from '../../statement/index.ts'
import { live } from '../job/find.ts'
import type { Job } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import { endTopicOf } from '../job/topics.ts'
import { attend } from './attend.ts'
import { FIRST_POLL_MS, look } from './look.ts'

/** How `waitFor` waits. */
export interface WaitOptions {
  /** For how long; without end unless given. */
  readonly timeoutMs?: number
  /** Gives it up: `waitFor` then rejects with what it was aborted with. The job goes on. */
  readonly signal?: AbortSignal
  /** How often it looks by itself, should it not be told; 1 s unless given. */
  readonly pollMs?: number
}

const DEFAULT_POLL_MS = 1_000

/** Waits until a job has finished. */
export async function waitForEnd(scope: QueueScope, id: string, options: WaitOptions): Promise<Job> {
  const { session, queue } = scope
  if (session.inTransaction) {
    throw new ConfigurationError('A transaction that waits for a job cannot see its end.', {
      code: 'TRANSACTION_MISUSE',
      hint: 'Wait outside of it, with storage.queue(…).waitFor(…).',
    })
  }
  const { timeoutMs, signal, pollMs = DEFAULT_POLL_MS } = accept(queue, options)
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  const timedOut = () => new TimeoutError(`Waiting for the job ${id}`, timeoutMs as number)
  const bell = new Bell()
  let giveUp: (reason: unknown) => void = () => undefined
  /** What may have to wait until somebody's transaction has ended, which nobody waits for longer than was said. */
  const unlessGivenUp = async <T>(work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted()
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw timedOut()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    giveUp = reject
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => reject(timedOut()), timerMs(leftMs))
    work().then(resolve, reject)
    return promise.finally(() => clearTimeout(timer))
  }
  const abort = () => {
    giveUp(signal?.reason)
    bell.ring()
  }
  signal?.addEventListener('abort', abort, { once: true })
  const leave: Unsubscribe[] = []
  try {
    leave.push(await session.wake(endTopicOf(queue), bell.ring))
    let seen: Job | null = null
    let pauseMs = Math.min(FIRST_POLL_MS, pollMs)
    for (;;) {
      bell.reset()
      signal?.throwIfAborted()
      const job = await look(scope, id, seen)
      if (job.finishedAt !== null) return job
      const told = await unlessGivenUp(() => tellWaiter(session, id))
      // The end of one that tells of it is written down: when it is gone, nobody knows any more how it ended.
      seen = told ? null : job
      if (!told && leave.length === 1) leave.push(await attend(session, queue, bell.ring))
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) throw timedOut()
      await bell.heard(Math.min(told ? pollMs : pauseMs, leftMs))
      pauseMs = Math.min(2 * pauseMs, pollMs)
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    await Promise.all(leave.map((end) => end()))
  }
}

/**
 * Makes a job tell when it ends; whether it does. One that runs is left alone, and so is one whose row is locked: its handler may have a
 * transaction open that is to end it, and that would have to begin again. Its worker tells of it when it hears that somebody waits.
 */
async function tellWaiter(session: Session, id: string): Promise<boolean> {
  const plan = session.plan('queue tell waiter', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('awaited', 0)],
    where: all(equals('id', 1), equals('awaited', 2), not(equals('state', 3))),
    orderBy: [],
    skipLocked: true,
    returning: [],
  }))
  if ((await session.execute(plan, [true, id, false, 'active'])).count > 0) return true
  return (await live(session).findById(id))?.['awaited'] === true
}

function accept(queue: string, options: WaitOptions): WaitOptions {
  const issues: Issue[] = []
  checkKnown(options, ['timeoutMs', 'signal', 'pollMs'], '', issues)
  checkSignal(options?.signal, 'signal', issues)
  if (options?.timeoutMs !== undefined) checkWhole(options.timeoutMs, 0, 'timeoutMs', issues)
  if (options?.pollMs !== undefined) checkMs(options.pollMs, 1, 'pollMs', issues)
  if (issues.length > 0) throw new ValidationError(`Waiting for a job of ${queue} was refused`, issues)
  return options
}
