import { ConflictError, ConstraintError, isHoldfastError, LeaseLostError, MigrationError } from '../base/errors.ts'
import type { ReadMigration } from './migration.ts'
import type { Step } from './step.ts'

/** A migration that is run, as far as one transaction of it goes. */
export interface MigrationPart {
  readonly migration: ReadMigration
  /** All its steps in the direction in which it is run. */
  readonly steps: readonly { readonly step: Step }[]
  /** Whether some of the migration was committed before, and stays done when this part fails. */
  readonly kept: boolean
}

/**
 * Does what a step asks for.
 *
 * @param at the place of the step.
 * @param offenders the rows that are to blame, one sentence each.
 */
export async function attempt<T>(
  { migration, steps, kept }: MigrationPart,
  at: number,
  work: () => Promise<T>,
  offenders: (error: unknown) => Promise<readonly string[]> = async () => [],
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LeaseLostError || (isHoldfastError(error) && error.retryable)) throw error
    const where = `at step ${at + 1} of ${steps.length}, ${steps[at]?.step.kind}`
    throw failed(migration, error, hintFor(error, kept), where, await offenders(error))
  }
}

/** What to do after a failure. */
export function hintFor(error: unknown, kept: boolean): string {
  if (kept)
    return 'What was committed before it stays done: correct what failed and apply it again, and it goes on from there.'
  if (error instanceof ConflictError)
    return 'Rows that are there collide: change them in a step before. Nothing was kept.'
  if (error instanceof ConstraintError)
    return 'Rows that are there do not meet it: give `fill`, or change them in a step before. Nothing was kept.'
  return 'Correct the migration and apply it again. Nothing of it was kept.'
}

/** The error for a migration that failed. */
export function failed(
  { name }: ReadMigration,
  error: unknown,
  hint: string,
  where = 'before its first step',
  offenders: readonly string[] = [],
): MigrationError {
  const reason = error instanceof Error ? error.message : String(error)
  const rows = offenders.length === 0 ? '' : ` ${offenders.join('; ')}.`
  return new MigrationError(`The migration ${name} failed ${where}: ${reason}${rows}`, {
    hint,
    cause: error,
    differences: offenders,
    ...(error instanceof MigrationError && { code: error.code as 'MIGRATION', differences: error.differences }),
  })
}
