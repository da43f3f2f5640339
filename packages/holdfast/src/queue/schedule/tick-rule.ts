/** When a schedule ticks. */
export interface TickRule {
  /** The first tick after an instant, both in milliseconds since 1970; null when none ever comes. */
  next(after: number): number | null
  /** The last ticks, at most `limit` of them, from `first` (a tick) up to `last`, in order. */
  between(first: number, last: number, limit: number): number[]
}
