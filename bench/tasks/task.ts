import assert from 'node:assert/strict'
import { type Item, plain } from '../items.ts'
import type { Awaitable, ItemStore } from '../peers/store.ts'

/** One thing that applications do, the same for every peer. */
export interface Task {
  /** What one operation is, as a sentence of the results page. */
  readonly describe: string
  /** Fails when a peer does something else than what is measured. Runs before anything is timed. */
  check(store: ItemStore): Promise<void>
  /** Gives the operation; it is called with 0, 1, 2, … and never twice with the same number. */
  start(store: ItemStore): (n: number) => Awaitable<unknown>
}

/** Fails unless a peer gave these items. */
export function assertItems(actual: readonly (Item | null)[], expected: readonly (Item | null)[]): void {
  assert.deepEqual(actual.map(plain), expected)
}
