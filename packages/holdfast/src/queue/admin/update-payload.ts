import { all, equals, not, set } from '../../statement/index.ts'
import { acceptJobs } from '../job/accept-job.ts'
import { isJobId } from '../job/job-id.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'

/**
 * Gives a job another payload, unless it runs already; gives whether there was such a job.
 *
 * @throws ValidationError for a payload that the queue does not take.
 */
export async function updatePayload(scope: QueueScope, id: string, payload: unknown): Promise<boolean> {
  const { session, queue, declaration } = scope
  const [accepted] = acceptJobs(queue, declaration, [{ data: payload, options: {}, path: '' }])
  if (accepted === undefined || !isJobId(id)) return false
  const plan = session.plan('queue update payload', () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('data', 0), set('version', 1)],
    where: all(equals('id', 2), equals('queue', 3), not(equals('state', 4))),
    orderBy: [],
    returning: [],
  }))
  const { data, version } = accepted
  return (await session.execute(plan, [data, version, id, queue, 'active'])).count > 0
}
