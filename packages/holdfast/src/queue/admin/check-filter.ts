import type { Issue } from '../../base/errors.ts'
import { checkName, describe } from '../../schema/index.ts'
import { acceptTime } from '../job/accept-job.ts'

/** Adds to `issues` that jobs are not named by a list of their ids. */
export function checkIds(ids: unknown, issues: Issue[]): void {
  if (ids === undefined) return
  if (!Array.isArray(ids))
    issues.push({ path: 'ids', reason: `must be a list of the ids of jobs, got ${describe(ids)}` })
  else for (let index = 0; index < ids.length; index++) checkName(ids[index], `ids.${index}`, issues)
}

/** Adds to `issues` that an option is not a time that databases have. */
export function checkTime(value: unknown, option: string, issues: Issue[]): void {
  if (value !== undefined) acceptTime(value, option, issues)
}
