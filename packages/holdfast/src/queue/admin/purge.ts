import type { Session } from '../../backend/index.ts'
import { finished } from '../job/find.ts'

/** Which finished jobs `purge` forgets: all unless given. */
export interface PurgeOptions {
  readonly state?: 'completed' | 'failed' | 'cancelled'
  /** Those that finished before this time. */
  readonly before?: Date
}

/** Forgets finished jobs of a queue; gives their number. */
export function purge(session: Session, queue: string, { state, before }: PurgeOptions): Promise<number> {
  const where = {
    queue,
    ...(state !== undefined && { state }),
    ...(before !== undefined && { finishedAt: { lt: before } }),
  }
  return finished(session).deleteMany(where as never)
}
