/** The value that a share of the sorted values lies below, between neighbours in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** The middle of some values, and the range that half of them lie in. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The median and the quartiles. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) }
}

/** How many times as fast as the baseline, compared round by round: what slowed a whole round down does not count. */
export function ratioTo(baseline: readonly number[], times: readonly number[]): Spread {
  return spreadOf(times.map((time, round) => (baseline[round] as number) / time))
}
