import type { Session } from '../../backend/index.ts'
import { oneOf } from '../../statement/index.ts'
import { steps } from '../job/models.ts'

/** Forgets the steps of jobs. */
export async function dropSteps(session: Session, jobs: readonly string[]): Promise<void> {
  const plan = session.plan('queue drop steps', () => ({
    kind: 'delete',
    model: steps.name,
    where: oneOf('job', 0),
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [jobs])
}
