import type { Session } from './session.ts'

/**
 * Runs `work` so that its statements take effect together. In a transaction they do so anyway: a nested one would refuse the calls beside
 * it, and go on where one of its statements failed.
 */
export function together<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  return session.inTransaction ? work(session) : session.transaction(work)
}
