import type { Session } from '../../backend/index.ts'
import { checkKnown } from '../../schema/index.ts'
import { checkCall } from '../job/check-call.ts'
import { finished } from '../job/find.ts'
import { checkFilter, FILTER_OPTIONS, type JobFilter, whereOf } from '../job/job-filter.ts'
import { checkState } from '../job/states.ts'
import { checkTime } from './check-filter.ts'

/** Which finished jobs `purge` forgets: all unless given. */
export interface PurgeOptions<Data = unknown> extends JobFilter<Data> {
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
    checkKnown(options, ['state', 'before', ...FILTER_OPTIONS], '', issues)
    checkState(options?.state, ['completed', 'failed', 'cancelled'], issues)
    checkFilter(options, issues)
    checkTime(options?.before, 'before', issues)
  })
  const { state, before } = options
  const where = {
    queue,
    ...(state !== undefined && { state }),
    ...(before !== undefined && { finishedAt: { lt: before } }),
    ...whereOf(options),
  }
  return finished(session).deleteMany(where as never)
}
