import { isDeepStrictEqual } from 'node:util'
import type { Unsubscribe } from '../../backend/index.ts'
import { ConfigurationError, type Issue, ValidationError } from '../../base/errors.ts'
import { LoopBell, type LoopHost } from '../../base/loop-bell.ts'
import { checkKnown, checkMs, checkSignal } from '../../schema/index.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { endTopicOf } from '../job/topics.ts'
import { attend } from './attend.ts'
import { FIRST_POLL_MS, look } from './look.ts'

/** How a job is watched. */
export interface JobWatchOptions {
  /** Ends it, without an error. */
  readonly signal?: AbortSignal
  /** How often it looks by itself, should it not be told; 1 s unless given. */
  readonly pollMs?: number
}

const DEFAULT_POLL_MS = 1_000

/**
 * A job, now and whenever it has changed, until it has finished. Nothing is written for it: it says now and then that it is there, and workers
 * that hear it tell of what becomes of their jobs. It looks by itself too.
 *
 * @throws ConfigurationError in a transaction; ValidationError for an unknown option.
 */
export function watchJob(
  scope: QueueScope,
  host: LoopHost | undefined,
  id: string,
  options: JobWatchOptions,
): AsyncGenerator<Job, void, undefined> {
  if (host === undefined) {
    throw new ConfigurationError('A transaction that watches a job cannot see it change.', {
      code: 'TRANSACTION_MISUSE',
      hint: 'Watch it outside of it, with storage.queue(…).watch(…).',
    })
  }
  return follow(scope, host, id, accept(scope.queue, options))
}

async function* follow(
  scope: QueueScope,
  host: LoopHost,
  id: string,
  { signal, pollMs = DEFAULT_POLL_MS }: JobWatchOptions,
): AsyncGenerator<Job, void, undefined> {
  const { session, queue } = scope
  const bell = new LoopBell()
  const ended = bell.enter(host, signal)
  const leave: Unsubscribe[] = []
  try {
    leave.push(await session.wake(endTopicOf(queue), bell.ring))
    leave.push(await attend(session, queue, bell.ring))
    let seen: Job | null = null
    for (let pauseMs = FIRST_POLL_MS; !bell.stopped; pauseMs *= 2) {
      bell.reset()
      const job = await look(scope, id, seen)
      const hasChanged = !isDeepStrictEqual(job, seen)
      seen = job
      if (hasChanged && !bell.stopped) yield job
      if (job.finishedAt !== null) return
      await bell.heard(Math.min(pauseMs, pollMs))
    }
  } catch (error) {
    // A storage that closes ends what watches it.
    if (!bell.stopped) throw error
  } finally {
    ended()
    await Promise.all(leave.map((end) => end()))
  }
}

function accept(queue: string, options: JobWatchOptions): JobWatchOptions {
  const issues: Issue[] = []
  checkKnown(options, ['signal', 'pollMs'], '', issues)
  checkSignal(options?.signal, 'signal', issues)
  if (options?.pollMs !== undefined) checkMs(options.pollMs, 1, 'pollMs', issues)
  if (issues.length > 0) throw new ValidationError(`Watching a job of ${queue} was refused`, issues)
  return options
}
