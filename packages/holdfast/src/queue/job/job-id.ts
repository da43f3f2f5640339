const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Whether a job can have this id: a UUID in lower case, as tokens are. Databases with a type for these refuse to look for anything else, where
 * there is just no such job.
 */
export function isJobId(text: string): boolean {
  return JOB_ID.test(text)
}
