import type { BackendFactory } from '../../backend/index.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { MemoryBackend } from './backend.ts'

/** How the memory backend is made. */
export interface MemoryOptions {
  /** Where the database's time comes from; the process's clock unless given. */
  readonly clock?: Clock
}

/**
 * A backend that keeps everything in this process: for tests, and for what may be lost with it. It behaves as the others do:
 * transactions, constraints, ordering and errors are the same.
 *
 * @example
 * ```ts
 * const storage = await openStorage(memory(), { schema })
 * ```
 */
export function memory({ clock = systemClock }: MemoryOptions = {}): BackendFactory {
  return ({ models }) => new MemoryBackend(models, clock)
}
