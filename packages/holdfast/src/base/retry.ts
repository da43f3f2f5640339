import { setTimeout as sleep } from 'node:timers/promises'

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 1_000

/**
 * Waits before another attempt: a random time up to a bound that doubles with each one ("full jitter"), so that transactions
 * that collided do not collide again in step.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function pauseBefore(attempt: number): Promise<void> {
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 16))
  return sleep(Math.random() * bound)
}
