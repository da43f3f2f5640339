import type { Session } from '../../backend/index.ts'
import { checkKnown } from '../../schema/index.ts'
import { checkCall } from '../job/check-call.ts'
import { finished } from '../job/find.ts'
import { checkState } from '../job/states.ts'
import { checkTime } from './check-filter.ts'

/** Which finished jobs `purge` forgets: all unless given. */
export interface PurgeOptions {
  readonly state?: 'completed' | 'failed' | 'cancelled'
  /** Those that finished before this time. */
  readonly before?: Date
}

/**
 * Forgets finished jobs of a queue; gives their number.
 *
 * @throws ValidationError for an unknown or wrong option.
 */
export async function purge(session: Session, queue: string, options: PurgeOptions): Promise<number> {
  checkCall(queue, (issues) => {
    checkKnown(options, ['state', 'before'], '', issues)
    checkState(options?.state, ['completed', 'failed', 'cancelled'], issues)
    checkTime(options?.before, 'before', issues)
  })
  const { state, before } = options
  const where = {
    queue,
    ...(state !== undefined && { state }),
    ...(before !== undefined && { finishedAt: { lt: before } }),
  }
  return finished(session).deleteMany(where as never)
}
