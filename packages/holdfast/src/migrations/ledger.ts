import type { Session } from '../backend/index.ts'
import { Repository } from '../repository/index.ts'
import { type Model, resolveModel, t, table } from '../schema/index.ts'

/** Which migrations were applied, in what order, by whom. */
export const ledgerModel: Model = resolveModel(
  'holdfastMigrations',
  table(
    {
      name: t.text().primaryKey(),
      /** Counts up with each migration that is applied. */
      position: t.integer(),
      checksum: t.text(),
      durationMs: t.integer(),
      appliedBy: t.text(),
      /** The version of the application, where npm started it. */
      version: t.text().nullable(),
      /** Whether what it dropped is gone for good. */
      finalized: t.boolean().default(false),
      appliedAt: t.timestamp().defaultNow(),
    },
    { unique: ['position'] },
  ),
)

/** One migration that was applied. */
export interface AppliedMigration {
  readonly name: string
  readonly position: number
  readonly checksum: string
  readonly durationMs: number
  /** The user, the machine and the process. */
  readonly appliedBy: string
  readonly version: string | null
  readonly finalized: boolean
  readonly appliedAt: Date
}

// biome-ignore lint/suspicious/noExplicitAny: the row of a model that is known here only.
type Ledger = Repository<AppliedMigration, any, string, any, any>

/** The ledger, in the order in which migrations were applied. */
export async function readLedger(session: Session): Promise<AppliedMigration[]> {
  return (await ledgerIn(session).find({ orderBy: { position: 'asc' } })) as AppliedMigration[]
}

/** Notes that a migration was applied. */
export async function noteApplied(
  session: Session,
  applied: Omit<AppliedMigration, 'appliedAt' | 'finalized'>,
): Promise<AppliedMigration> {
  return ledgerIn(session).create(applied)
}

/** Notes that what these migrations dropped is gone. */
export async function noteFinalized(session: Session, names: readonly string[]): Promise<void> {
  await ledgerIn(session).updateMany({ name: { in: names } } as never, { finalized: true } as never)
}

/** Notes that a migration was rolled back. */
export async function noteRolledBack(session: Session, name: string): Promise<void> {
  await ledgerIn(session).delete(name)
}

function ledgerIn(session: Session): Ledger {
  return new Repository(session, ledgerModel)
}
