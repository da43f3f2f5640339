import type { Session } from '../../backend/index.ts'
import { all, equals, oneOf, outputs } from '../../statement/index.ts'
import type { Job } from './job.ts'
import { finishedJobs } from './models.ts'

/**
 * The results of the jobs that a job comes after, by their ids and in the order of `after`. Those that did not complete, or are not kept any
 * more, are not among them.
 */
export async function earlierResults(session: Session, { after }: Pick<Job, 'after'>): Promise<Map<string, unknown>> {
  if (after.length === 0) return new Map()
  const plan = session.plan('queue earlier results', () => ({
    kind: 'select',
    model: finishedJobs.name,
    joins: [],
    outputs: outputs(['id', 'result']),
    where: all(oneOf('id', 0), equals('state', 1)),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, [after, 'completed'])
  const found = new Map(rows.map((row) => [row['id'] as string, row['result'] ?? null]))
  return new Map(after.filter((id) => found.has(id)).map((id) => [id, found.get(id)]))
}
