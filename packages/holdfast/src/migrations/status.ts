import type { AppliedMigration } from './ledger.ts'
import type { ReadMigration } from './migration.ts'

/** How a migration stands. */
export interface MigrationStatus {
  readonly name: string
  /** `running`: its data steps are not done; `apply` goes on where they are. `edited`: its steps are not those that were applied. `missing`: it was applied and is not registered here. */
  readonly state: 'applied' | 'pending' | 'running' | 'edited' | 'missing'
  /** Null while it is pending, as are the following. */
  readonly appliedAt: Date | null
  readonly durationMs: number | null
  /** The user, the machine and the process that applied it. */
  readonly appliedBy: string | null
  /** The version of the application that applied it, where npm started that. */
  readonly version: string | null
}

/** How migrations stand: those of the ledger in its order, then those that are to come. */
export function statusOf(
  registered: ReadonlyMap<string, ReadMigration>,
  ledger: readonly AppliedMigration[],
): MigrationStatus[] {
  const applied = ledger.map((row): MigrationStatus => {
    const { name, appliedAt, durationMs, appliedBy, version } = row
    return { name, state: stateOf(row, registered.get(name)), appliedAt, durationMs, appliedBy, version }
  })
  const names = new Set(ledger.map(({ name }) => name))
  const pending = [...registered.keys()].filter((name) => !names.has(name)).map(pendingStatus)
  return [...applied, ...pending]
}

function stateOf({ state, checksum }: AppliedMigration, known: ReadMigration | undefined): MigrationStatus['state'] {
  if (known === undefined) return 'missing'
  if (state === 'running') return 'running'
  return known.checksum === checksum ? 'applied' : 'edited'
}

function pendingStatus(name: string): MigrationStatus {
  return { name, state: 'pending', appliedAt: null, durationMs: null, appliedBy: null, version: null }
}
