import type { Row, Session } from '../../backend/index.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'

/** The row of a live job, but for its times, that a finished one becomes: as if it had never been tried. */
export function liveAgain(row: Row, blockers: number, awaited: boolean): Row {
  const { result: _, finishedAt: __, ...kept } = row
  const ready = row['group'] === null && blockers === 0
  const { settings, errors } = jobOf(row)
  return {
    ...kept,
    settings: errors.length === 0 ? settings : { ...settings, pastErrors: errors.length },
    state: ready ? 'waiting' : 'blocked',
    ready: ready || null,
    attempt: 0,
    admitted: false,
    blockers,
    awaited,
    stepped: false,
    token: null,
  }
}

/** Adds the rows of jobs that are live again. They are to run now, by the database's clock, and have one time. */
export async function addAgain(session: Session, rows: readonly Row[]): Promise<void> {
  const at = await insert(session, rows, true)
  await insert(session, rows, false, at)
}

const COLUMNS = liveJobs.columns.map(({ name }) => name)

/** Gives the time that they have, where there are any. */
async function insert(session: Session, all: readonly Row[], ready: boolean, at?: Date): Promise<Date | undefined> {
  const rows = all.filter((row) => row['state'] === (ready ? 'waiting' : 'blocked'))
  if (rows.length === 0) return at
  const isTime = (column: string) => column === 'runAt' || (column === 'dueAt' && !ready)
  const plan = session.plan(`queue again ${ready} ${at === undefined}`, () => ({
    kind: 'insert',
    model: liveJobs.name,
    columns: COLUMNS.map((column) => ({ column, value: isTime(column) && at === undefined ? 'now' : 'given' })),
    leading: 0,
    returning: ['runAt'],
  }))
  const time = at ?? clockOffsetMs(session)
  const parameters = rows.flatMap((row) => COLUMNS.map((column) => (isTime(column) ? time : (row[column] ?? null))))
  return (await session.execute(plan, parameters)).rows[0]?.['runAt'] as Date
}
