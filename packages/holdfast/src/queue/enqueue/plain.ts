import type { Session } from '../../backend/index.ts'
import type { NewJob } from '../job/accept-job.ts'
import { clockOffsetMs } from '../job/clock.ts'
import { type Job, jobOf } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'

/** A job that can be taken at once, and of which nothing was asked but what it is. */
type PlainJob = NewJob & { readonly when: { readonly inMs: number } }

/** Whether a job is one: most are. */
export function isPlain(job: NewJob): job is PlainJob {
  const { due, when, key, group, settings } = job
  return due && 'inMs' in when && key === null && group === null && settings === null
}

/** What is written of a plain job; its other columns have what is there without them. */
const COLUMNS = ['id', 'queue', 'state', 'ready', 'precedence', 'runAt', 'maxAttempts', 'data', 'version', 'createdAt']
const TIMES = ['runAt', 'createdAt']
const NEW = { state: 'waiting', attempt: 0, key: null, group: null }

/** Adds plain jobs, all or none, in one statement. */
export async function addPlain(session: Session, queue: string, jobs: readonly PlainJob[]): Promise<Job[]> {
  const plan = session.plan('queue insert plain', () => ({
    kind: 'insert',
    model: liveJobs.name,
    columns: COLUMNS.map((column) => ({ column, value: TIMES.includes(column) ? 'now' : 'given' })),
    leading: 0,
    returning: TIMES,
  }))
  const offset = clockOffsetMs(session)
  const parameters: unknown[] = []
  for (const { id, precedence, when, maxAttempts, data, version } of jobs) {
    const runAt = offset + when.inMs
    parameters.push(id, queue, 'waiting', true, precedence, runAt, maxAttempts, data, version, offset)
  }
  const { rows } = await session.execute(plan, parameters)
  return jobs.map(({ id, precedence, maxAttempts, data, version }, at) => {
    const { runAt, createdAt } = rows[at] as { runAt: Date; createdAt: Date }
    const known = { id, queue, precedence, runAt, maxAttempts, data, version, createdAt }
    return jobOf(Object.assign(known, NEW))
  })
}
