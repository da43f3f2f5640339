import { bringToEnd, type Removed } from '../finish/bring-to-end.ts'
import { dropLinks } from '../flow/flow.ts'
import { all, equals, oneOf } from '../job/conditions.ts'
import { jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import { OWN, type QueueScope } from '../job/scope.ts'
import { controlTopicOf } from '../job/topics.ts'

/** Ends jobs that have not finished, and tells the workers that run them; gives how many there were. */
export async function cancelJobs(scope: QueueScope, ids: readonly string[]): Promise<number> {
  return scope.session.transaction(async (session) => {
    const plan = session.plan('queue cancel', () => ({
      kind: 'delete',
      model: liveJobs.name,
      where: all(equals('queue', 0), oneOf('id', 1)),
      orderBy: [],
      returning: liveJobs.columns.map(({ name }) => name),
    }))
    const { rows } = await session.execute(plan, [scope.queue, ids])
    const blocked = rows.filter((row) => row['state'] === 'blocked').map((row) => row['id'] as string)
    if (blocked.length > 0) await dropLinks(session, blocked)
    const finishing = rows.map((row) => ({ job: jobOf(row), state: 'cancelled' as const, result: null }))
    await bringToEnd({ ...scope, session }, finishing, rows as unknown as Removed[])
    if (rows.some((row) => row['state'] === 'active')) session.notify(controlTopicOf(scope.queue))
    return rows.length
  }, OWN)
}
