import type { Session } from '../../backend/index.ts'
import type { ModelColumn, QueueDeclaration } from '../../schema/index.ts'
import { all, equals, type MovedColumn } from '../../statement/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { liveAmong } from '../job/find.ts'
import { heldKey, heldRows, isLeased, JobsGone } from '../job/held-rows.ts'
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

/** Jobs that can be ended by one statement: of one version, and of one attempt without leases, since their rows do not know it. */
export function movedAlike(finishing: readonly Finishing[]): Iterable<readonly Finishing[]> {
  const [first] = finishing
  if (first === undefined) return []
  const leased = isLeased(first.job)
  const { version, attempt } = first.job
  const isAlike = ({ job }: Finishing) => job.version === version && (leased || job.attempt === attempt)
  if (finishing.every(isAlike)) return [finishing]
  return Map.groupBy(finishing, ({ job }) => (leased ? job.version : `${job.version} ${job.attempt}`)).values()
}

/**
 * Ends jobs that end plainly and are alike, in one statement: the row of each goes from one table to the other, or away, without coming here.
 * Gives the ids of those that did; the others have lost their lease, have steps, or are awaited.
 *
 * @throws JobsGone where they were taken without leases and some are not there.
 */
export async function completePlainly(
  { session, declaration }: QueueScope,
  finishing: readonly Finishing[],
): Promise<ReadonlySet<string>> {
  const ids = finishing.map(({ job }) => job.id)
  const tokens = [...new Set(finishing.map(({ job }) => job.token))]
  const forgets = keepsNoCompleted(declaration)
  const { job } = finishing[0] as Finishing
  const leased = isLeased(job)
  const plan = session.plan(heldKey(forgets ? 'queue forget completed' : 'queue complete', leased), () => ({
    kind: 'delete',
    model: liveJobs.name,
    where: all(heldRows(leased, 0, 1), endsPlainlyHere),
    orderBy: [],
    returning: leased ? ['id'] : [],
    ...(!forgets && {
      into: { model: finishedJobs.name, columns: finishedJobs.columns.map((column) => movedColumn(column, leased)) },
    }),
  }))
  const parameters = [ids, tokens, false, 'completed', null, clockOffsetMs(session), job.version, job.attempt]
  const { rows, count } = await session.execute(plan, parameters)
  return leased ? new Set(rows.map((row) => row['id'] as string)) : await endedAmong(session, ids, count)
}

/** Which of the jobs that this transaction has locked it has ended, when it was so many: nobody else can have changed them. */
async function endedAmong(session: Session, ids: readonly string[], count: number): Promise<ReadonlySet<string>> {
  if (count === ids.length) return new Set(ids)
  const gone = new Set(ids).difference(await liveAmong(session, ids))
  if (gone.size > count) throw new JobsGone()
  return gone
}

const endsPlainlyHere = all(
  equals('awaited', 2),
  equals('stepped', 2),
  // Not those whose payload was brought to a later version, which is what is kept.
  equals('version', 6),
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
