import { isUuid } from '../../base/ids.ts'

/**
 * Whether a job can have this id: a UUID in lower case, as tokens are. Databases with a type for these refuse to look for anything else, where
 * there is just no such job.
 */
export function isJobId(text: string): boolean {
  return isUuid(text) && text === text.toLowerCase()
}
