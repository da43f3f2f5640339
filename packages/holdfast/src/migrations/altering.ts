import { ConstraintError } from '../base/errors.ts'
import { failed, hintFor, type MigrationPart } from './attempt.ts'
import type { AlteringSession } from './host.ts'
import type { RunContext } from './prepare.ts'

/** Runs a transaction that may alter tables, as long as the lock is held. */
export async function inTransaction<T>(
  { host, lock }: RunContext,
  { migration, kept }: MigrationPart,
  work: (session: AlteringSession) => Promise<T>,
): Promise<T> {
  try {
    return await host.alter(async (session) => {
      await lock.hold(session)
      const value = await work(session)
      await lock.hold(session)
      return value
    })
  } catch (error) {
    // SQLite looks at references when all is done.
    throw error instanceof ConstraintError ? failed(migration, error, hintFor(error, kept), 'at its end') : error
  }
}
