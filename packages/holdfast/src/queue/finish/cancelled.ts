import type { Session } from '../../backend/index.ts'
import { all, equals, oneOf, outputs } from '../../statement/index.ts'
import { finishedJobs } from '../job/models.ts'

/** The ids of those of these jobs that were cancelled, and are still kept. */
export async function cancelledAmong(session: Session, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const plan = session.plan('queue cancelled among', () => ({
    kind: 'select',
    model: finishedJobs.name,
    joins: [],
    outputs: outputs(['id']),
    where: all(oneOf('id', 0), equals('state', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [ids, 'cancelled'])
  return new Set(rows.map((row) => row['id'] as string))
}
