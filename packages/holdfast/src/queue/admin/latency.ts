import type { Session } from '../../backend/index.ts'
import { all, equals, field, outputs } from '../../statement/index.ts'
import { liveJobs } from '../job/models.ts'

/** For how long the job has waited that has waited longest of those that can be taken, in milliseconds; 0 where there is none. */
export async function latencyOf(session: Session, queue: string): Promise<number> {
  const plan = session.plan('queue latency', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: [...outputs([]), { kind: 'aggregate', name: 'since', function: 'min', field: field('runAt') }],
    where: all(equals('queue', 0), equals('ready', 1)),
    groupBy: [],
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [queue, true])
  const since = rows[0]?.['since'] as Date | null
  return since === null ? 0 : Math.max(0, session.clock.now() - since.getTime())
}
