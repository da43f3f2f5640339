import type { Session } from '../../backend/index.ts'
import { systemClock } from '../../base/clock.ts'

/**
 * How far the storage's clock is from this machine's. Leases and due times are computed by the database from its own clock plus
 * this, so that a worker whose clock is wrong neither steals nor loses a job; only tests have a clock that differs.
 */
export function clockOffsetMs({ clock }: Session): number {
  return clock === systemClock ? 0 : clock.now() - Date.now()
}
