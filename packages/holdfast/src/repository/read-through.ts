import type { Session } from '../backend/index.ts'
import { ValidationError } from '../base/errors.ts'
import { type CachedReads, checkCachedReads, type Model } from '../schema/index.ts'

/** Where reads are kept. */
export interface ReadCaching {
  /** A session whose reads may be answered with what was read up to `ttlMs` ago. */
  session(inner: Session, ttlMs: number): Session
}

/** How a call reads. */
export interface ReadOptions {
  /**
   * May be answered with what was read up to `ttlMs` ago, if nothing of it was written since by this process; false reads anew where the
   * model says otherwise. In a transaction it means nothing.
   */
  readonly cache?: CachedReads | false
}

/**
 * The session that a call reads in.
 *
 * @param given what the call said of caching.
 * @throws ValidationError
 */
export function readingSession(
  session: Session,
  model: Model,
  reads: ReadCaching | undefined,
  given: unknown,
): Session {
  const wanted = given === undefined ? model.cache : given
  if (wanted === undefined || wanted === false) return session
  const reason = checkCachedReads(wanted)
  if (reason !== undefined)
    throw new ValidationError(`A query of ${model.name} was refused`, [{ path: 'cache', reason }])
  return reads === undefined ? session : reads.session(session, (wanted as CachedReads).ttlMs)
}
