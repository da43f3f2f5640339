import type { QueueDeclaration } from '../../schema/index.ts'
import { all, isDue, oneOf, outputs } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import type { Job } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'

/** Within how long of its `runAt` a job must begin; undefined where it may begin whenever it can, or has begun before. */
export function startWithinMsOf(job: Job, declaration: QueueDeclaration | undefined): number | undefined {
  return job.attempt > 1 ? undefined : (job.settings?.startWithinMs ?? declaration?.options.startWithinMs)
}

const NONE: ReadonlySet<Job> = new Set()

/**
 * Those of the jobs just taken that should have begun by now. Most have no such bound and cost nothing; of those that look late, the database
 * says whether they are, so that a machine whose clock is ahead does not fail them.
 */
export async function lateAmong(
  { session, declaration }: QueueScope,
  taken: readonly Job[],
): Promise<ReadonlySet<Job>> {
  const now = session.clock.now()
  const boundOf = (job: Job): number => startWithinMsOf(job, declaration) ?? Number.POSITIVE_INFINITY
  const suspects = taken.filter((job) => job.runAt.getTime() + boundOf(job) <= now)
  if (suspects.length === 0) return NONE
  const plan = session.plan('queue late', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['id']),
    where: all(oneOf('id', 0), isDue('runAt', 1)),
    orderBy: [],
  }))
  const late = new Set<Job>()
  for (const [ms, jobs] of Map.groupBy(suspects, boundOf)) {
    const { rows } = await session.execute(plan, [jobs.map(({ id }) => id), clockOffsetMs(session) - ms])
    const ids = new Set(rows.map((row) => row['id']))
    for (const job of jobs) if (ids.has(job.id)) late.add(job)
  }
  return late
}
