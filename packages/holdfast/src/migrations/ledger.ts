import type { Session } from '../backend/index.ts'
import { Repository } from '../repository/index.ts'
import { type Model, resolveOwnModel, t, table } from '../schema/index.ts'

/** Which migrations were applied, in what order, by whom. */
export const ledgerModel: Model = resolveOwnModel(
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
      /** `running` while steps of it that are committed one by one are not all done. */
      state: t.enum(['applied', 'running']).default('applied'),
      /** While it runs: how many steps are done, the key up to which the next one is, and how many rows that changed. */
      steps: t.integer().default(0),
      cursor: t.json<readonly unknown[]>().nullable(),
      rows: t.integer().default(0),
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
  readonly state: 'applied' | 'running'
  readonly steps: number
  readonly cursor: readonly unknown[] | null
  readonly rows: number
  readonly appliedAt: Date
}

// biome-ignore lint/suspicious/noExplicitAny: the row of a model that is known here only.
type Ledger = Repository<AppliedMigration, any, string, any, any>

/** The ledger, in the order in which migrations were applied. */
export async function readLedger(session: Session): Promise<AppliedMigration[]> {
  return (await ledgerIn(session).find({ orderBy: { position: 'asc' } })) as AppliedMigration[]
}

/** Notes that a migration was applied, or how far it is. */
export async function noteApplied(
  session: Session,
  applied: Omit<AppliedMigration, 'appliedAt' | 'finalized'>,
): Promise<void> {
  const { name, position, ...rest } = applied
  await ledgerIn(session).upsert(applied, { update: rest })
}

/** Notes that a migration was applied before there was a ledger. */
export async function noteBaseline(
  session: Session,
  { name, checksum }: { readonly name: string; readonly checksum: string },
  position: number,
): Promise<void> {
  await ledgerIn(session).create({ name, position, checksum, durationMs: 0, appliedBy: 'baseline', finalized: true })
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

/** Puts one row in the place of those of the migrations that it replaces. */
export async function replaceRows(session: Session, row: AppliedMigration, replaced: readonly string[]): Promise<void> {
  const ledger = ledgerIn(session)
  await ledger.deleteMany({ name: { in: replaced } } as never)
  await ledger.create(row)
}
