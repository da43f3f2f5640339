import type { Clock } from '../base/clock.ts'

/** A clock that a test moves. Leases and due times of jobs move with it, whatever the backend. */
export interface TestClock extends Clock {
  /** Moves the clock on. */
  advance(ms: number): void
}

/**
 * A clock for `openStorage(target, { clock })`. It runs with the real time, ahead of it by what it was advanced.
 *
 * @example
 * ```ts
 * const clock = testClock()
 * const storage = await createTestStorage({ schema, clock })
 * await storage.queue('mail').enqueue({ to: 'kim' }, { delayMs: 60_000 })
 * clock.advance(60_000)
 * expect(await storage.queue('mail').dequeue()).not.toBeNull()
 * ```
 */
export function testClock(): TestClock {
  let aheadMs = 0
  return {
    now: () => Date.now() + aheadMs,
    advance(ms) {
      aheadMs += ms
    },
  }
}
