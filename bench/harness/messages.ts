import type { Target } from '../peers/store.ts'
import type { Timing } from './timing.ts'

/** What the process of a peer is asked for, one at a time. */
export type Request =
  /** Open the store, fill it, and check that it does what is measured. */
  | { readonly kind: 'open'; readonly workload: string; readonly peer: string; readonly target: Target }
  /** Remove what the round before inserted. */
  | { readonly kind: 'reset' }
  /** Run the operation for about so long. */
  | { readonly kind: 'time'; readonly wantedMs: number }
  | { readonly kind: 'close' }

/** What it answers. */
export type Reply =
  | { readonly kind: 'done' }
  | { readonly kind: 'timed'; readonly timing: Timing }
  | { readonly kind: 'failed'; readonly reason: string }
