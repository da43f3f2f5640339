import { setTimeout as sleep } from 'node:timers/promises'
import { TimeoutError } from '../../base/errors.ts'
import type { Failures } from './failures.ts'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 50

/**
 * Tries again while another process has the file locked, with pauses in which the event loop goes on: SQLite's own way to
 * wait would block it.
 *
 * @throws TimeoutError when it takes too long; the signal's reason when that comes first.
 */
export async function untilFree<T>(
  attempt: () => T,
  failures: Failures,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const started = performance.now()
  for (let pauses = 0; ; pauses++) {
    try {
      return attempt()
    } catch (error) {
      if (!failures.isBusy(error)) throw error
      if (performance.now() - started >= timeoutMs) {
        throw new TimeoutError('Waiting for another process that writes to the database', timeoutMs, error)
      }
    }
    await pause(pauses, signal)
  }
}

/** Random, so that processes that wait for each other do not try in step. */
async function pause(pauses: number, signal: AbortSignal | undefined): Promise<void> {
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(pauses, 8))
  await sleep(Math.random() * bound)
  signal?.throwIfAborted()
}
