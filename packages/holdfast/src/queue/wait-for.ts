import { ConfigurationError, type Issue, NotFoundError, TimeoutError, ValidationError } from '../base/errors.ts'
import { checkKnown, checkWhole } from '../schema/index.ts'
import { findJob } from './find.ts'
import { awaitEnd } from './flow.ts'
import type { Job } from './job.ts'
import type { QueueScope } from './scope.ts'
import { timerMs } from './timer.ts'
import { endTopicOf } from './topics.ts'

/** How `waitFor` waits. */
export interface WaitOptions {
  /** For how long; without end unless given. */
  readonly timeoutMs?: number
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
  const { timeoutMs, pollMs = DEFAULT_POLL_MS } = accept(queue, options)
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  let wake: () => void = () => undefined
  const unsubscribe = await session.wake(endTopicOf(queue), () => wake())
  try {
    await awaitEnd(session, [id])
    for (;;) {
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      wake = resolve
      // Looked for twice, because it may go from the one table to the other between two statements.
      const job = (await findJob(session, queue, id)) ?? (await findJob(session, queue, id))
      if (job === null) throw new NotFoundError(`the queue ${queue}`, id)
      if (job.finishedAt !== null) return job
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) throw new TimeoutError(`Waiting for the job ${id}`, timeoutMs as number)
      const timer = setTimeout(resolve, timerMs(Math.min(pollMs, leftMs)))
      await woken
      clearTimeout(timer)
    }
  } finally {
    await unsubscribe()
  }
}

function accept(queue: string, options: WaitOptions): WaitOptions {
  const issues: Issue[] = []
  checkKnown(options, ['timeoutMs', 'pollMs'], '', issues)
  if (options.timeoutMs !== undefined) checkWhole(options.timeoutMs, 0, 'timeoutMs', issues)
  if (options.pollMs !== undefined) checkWhole(options.pollMs, 1, 'pollMs', issues)
  if (issues.length > 0) throw new ValidationError(`Waiting for a job of ${queue} was refused`, issues)
  return options
}
