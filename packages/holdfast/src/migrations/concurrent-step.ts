import type { AlterTable, ConcurrentAlteration, SchemaChange, Session } from '../backend/index.ts'
import { ConflictError, ConstraintError } from '../base/errors.ts'
import { inTransaction } from './altering.ts'
import { attempt, type MigrationPart } from './attempt.ts'
import type { DataProgress } from './data-step.ts'
import type { MigrationHost } from './host.ts'
import { noteRolledBack } from './ledger.ts'
import { offendersOf } from './offenders.ts'
import { changedModels, type PreparedStep, type RunContext } from './prepare.ts'

/** What a step changes that others may go on beside; undefined for other steps, and where the database knows no such thing. */
export function concurrentChange({ fitted, step }: PreparedStep, { schema }: MigrationHost): AlterTable | undefined {
  const [change, ...others] = fitted
  if (schema.alterConcurrently === undefined || !('concurrently' in step) || others.length > 0) return undefined
  return change?.kind === 'alterTable' && change.concurrently === true ? change : undefined
}

/** A step that others may go on beside. */
export interface ConcurrentStep {
  /** The migration, as it is before this step. */
  readonly whole: MigrationPart
  readonly prepared: PreparedStep
  readonly change: AlterTable
  readonly at: number
  /** Whether its first part is done. */
  readonly begun: boolean
}

/** That the first part of a step is done, where the ledger keeps how far a data step is. */
const BEGUN: DataProgress = { after: ['begun'], rows: 0 }

/**
 * Makes a step in three parts, of which the first and the last are transactions with the note of how far it is. Where rows are in the way, what
 * the first has added is taken away again.
 */
export async function runConcurrently(
  context: RunContext,
  { whole, prepared, change, at, begun }: ConcurrentStep,
  note: (session: Session, done: number, progress: DataProgress | null) => Promise<void>,
): Promise<void> {
  const { host, lock } = context
  const { models, before } = prepared
  const alteration = host.schema.alterConcurrently?.(change, models) as ConcurrentAlteration
  const kept = { ...whole, kept: true }
  const make = (
    part: MigrationPart,
    changes: readonly SchemaChange[],
    noted: (session: Session) => Promise<void>,
  ): Promise<void> =>
    inTransaction(context, part, async (session) => {
      if (changes.length > 0)
        await attempt(part, at, () => session.runNested((inner) => inner.applySchema(changes, models)))
      await noted(session)
    })
  if (!begun) await make(whole, alteration.before, (session) => note(session, at, BEGUN))
  try {
    await lock.keep(host.session, () => alteration.finish())
  } catch (error) {
    const areRows = error instanceof ConstraintError || error instanceof ConflictError
    const changed = changedModels([change])
    const offenders = areRows ? await offendersOf(host, host.session, { before, changed, error }) : []
    if (areRows) {
      await make(kept, alteration.undo, (session) =>
        at === 0 ? noteRolledBack(session, whole.migration.name) : note(session, at, null),
      )
    }
    await attempt(
      areRows ? whole : kept,
      at,
      () => Promise.reject(error),
      async () => offenders,
    )
  }
  await make(kept, alteration.after, (session) => note(session, at + 1, null))
}
