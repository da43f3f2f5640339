/** The longest that a timer can be set to, some 24 days; beyond it Node.js takes a millisecond. */
const LONGEST_TIMER_MS = 2_147_483_647

/** So many milliseconds, as far as a timer can be set. */
export function timerMs(ms: number): number {
  return Math.min(ms, LONGEST_TIMER_MS)
}
