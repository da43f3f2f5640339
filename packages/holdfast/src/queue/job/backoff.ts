import type { Backoff } from '../../schema/index.ts'
import { RetryIn } from './retry-in.ts'

const DEFAULTS = { kind: 'exponential', firstMs: 1_000, longestMs: 3_600_000, jitter: 0.5 } as const

/** How the pause grows with the attempts that failed, before it is cut to the longest. */
const growth: { readonly [Kind in NonNullable<Backoff['kind']>]: (firstMs: number, attempt: number) => number } = {
  fixed: (firstMs) => firstMs,
  linear: (firstMs, attempt) => firstMs * attempt,
  exponential: (firstMs, attempt) => firstMs * 2 ** (attempt - 1),
}

/**
 * The pause after an attempt that failed with an error, in milliseconds: what its handler asked for, or else a part of it at random, so that jobs
 * that failed together do not come back together.
 */
export function pauseMs(error: unknown, attempt: number, ...backoffs: readonly (Backoff | undefined)[]): number {
  if (error instanceof RetryIn) return error.ms
  const { kind, firstMs, longestMs, jitter } = Object.assign({}, DEFAULTS, ...backoffs) as Required<Backoff>
  const bound = Math.min(longestMs, growth[kind](firstMs, attempt))
  return Math.round(bound * (1 - jitter + Math.random() * jitter))
}
