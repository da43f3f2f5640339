import type { ModelColumn, QueueDeclaration } from '../../schema/index.ts'
import { all, equals, type MovedColumn, oneOf } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { heldKey, heldRows, isLeased } from '../job/held-rows.ts'
import { finishedJobs, liveJobs } from '../job/models.ts'
import type { QueueScope } from '../job/scope.ts'
import type { Finishing } from './finishing.ts'

/** Whether a queue keeps no completed jobs: then those that have no result and that nobody waits for are not written down at all. */
export function keepsNoCompleted(declaration: QueueDeclaration | undefined): boolean {
  const { completed, completedMs } = declaration?.options.keep ?? {}
  return completed === 0 || completedMs === 0
}

/** Whether nothing is to be done about the end of a job but to write it down, as far as the job says. */
export function endsPlainly({ job, state, result }: Finishing): boolean {
  return state === 'completed' && result === null && job.group === null
}

/** Jobs that can be ended by one statement: without leases, their rows do not know at which attempt they are. */
export function movedAlike(finishing: readonly Finishing[]): Iterable<readonly Finishing[]> {
  const [first] = finishing
  if (first === undefined) return []
  return isLeased(first.job) ? [finishing] : Map.groupBy(finishing, ({ job }) => job.attempt).values()
}

/**
 * Ends jobs that end plainly and are alike, in one statement: the row of each goes from one table to the other, or away, without coming here.
 * Gives the ids of those that did; the others have lost their lease, have steps, or are awaited.
 */
export async function completePlainly(
  { session, declaration }: QueueScope,
  finishing: readonly Finishing[],
): Promise<Set<string>> {
  const ids = finishing.map(({ job }) => job.id)
  const tokens = [...new Set(finishing.map(({ job }) => job.token))]
  const versions = [...new Set(finishing.map(({ job }) => job.version))]
  const forgets = keepsNoCompleted(declaration)
  const { job } = finishing[0] as Finishing
  const leased = isLeased(job)
  const plan = session.plan(heldKey(forgets ? 'queue forget completed' : 'queue complete', leased), () => ({
    kind: 'delete',
    model: liveJobs.name,
    where: all(heldRows(leased, 0, 1), endsPlainlyHere),
    orderBy: [],
    returning: ['id'],
    ...(!forgets && {
      into: { model: finishedJobs.name, columns: finishedJobs.columns.map((column) => movedColumn(column, leased)) },
    }),
  }))
  const parameters = [ids, tokens, false, 'completed', null, clockOffsetMs(session), versions, job.attempt]
  const { rows } = await session.execute(plan, parameters)
  return new Set(rows.map((row) => row['id'] as string))
}

const endsPlainlyHere = all(
  equals('awaited', 2),
  equals('stepped', 2),
  // Not those whose payload was brought to a later version, which is what is kept.
  oneOf('version', 6),
)

function movedColumn({ name: column }: ModelColumn, leased: boolean): MovedColumn {
  switch (column) {
    case 'state':
      return { column, value: { kind: 'parameter', parameter: 3 } }
    case 'result':
      return { column, value: { kind: 'parameter', parameter: 4 } }
    case 'finishedAt':
      return { column, value: { kind: 'now', plusMs: 5 } }
    case 'attempt':
      return { column, value: leased ? { kind: 'column', column } : { kind: 'parameter', parameter: 7 } }
    default:
      return { column, value: { kind: 'column', column } }
  }
}
