import { createHash } from 'node:crypto'
import { contentOf } from '../backend/index.ts'
import { Repository } from '../repository/index.ts'
import type { Model } from '../schema/index.ts'
import { modelsOf } from './changes.ts'
import type { MigrationHost } from './host.ts'
import type { AppliedMigration } from './ledger.ts'
import type { ReadMigration } from './migration.ts'
import { withoutParked } from './parking.ts'
import { appliedState, stateAfterAll } from './plan.ts'
import type { SchemaState } from './schema-state.ts'

/** What a table holds: how many rows, and a hash of all of them. */
interface Fingerprint {
  readonly rows: number
  readonly hash: string
}

type Fingerprints = ReadonlyMap<string, Fingerprint>

/** What came of a rehearsal. */
export interface Rehearsal {
  readonly ok: boolean
  /** The migrations that were applied, undone and applied again. */
  readonly migrations: readonly string[]
  /** How many rows each table has before and after; null where it is not there. */
  readonly tables: readonly { readonly table: string; readonly before: number | null; readonly after: number | null }[]
  /** What was not as it should be, one sentence each. */
  readonly differences: readonly string[]
}

/** What a rehearsal does with the migrations of a database. */
interface Moves {
  apply(): Promise<readonly { readonly name: string }[]>
  rollback(options: { readonly steps: number }): Promise<unknown>
}

/** Applies what is pending, undoes it and applies it again, and compares what every table holds. */
export async function rehearse(
  host: MigrationHost,
  registered: readonly ReadMigration[],
  ledger: readonly AppliedMigration[],
  moves: Moves,
): Promise<Rehearsal> {
  const [before, after] = [appliedState(registered, ledger), stateAfterAll(registered)]
  const first = await fingerprints(host, before)
  const names = (await moves.apply()).map(({ name }) => name)
  const once = await fingerprints(host, after)
  await moves.rollback({ steps: names.length })
  const lost = lostBetween(first, await fingerprints(host, before))
  await moves.apply()
  const unlike = changedBetween(once, await fingerprints(host, after))
  const tables = [...new Set([...first.keys(), ...once.keys()])].map((table) => ({
    table,
    before: first.get(table)?.rows ?? null,
    after: once.get(table)?.rows ?? null,
  }))
  const differences = [...lost, ...unlike]
  return { ok: differences.length === 0, migrations: names, tables, differences }
}

/** The fingerprints of the tables of a state, by the names of their models; it reads every row, with constant memory. */
async function fingerprints(host: MigrationHost, state: SchemaState): Promise<Fingerprints> {
  const found = new Map<string, Fingerprint>()
  for (const model of modelsOf(withoutParked(state)).values()) found.set(model.name, await fingerprintOf(host, model))
  return found
}

let rehearsals = 0

function fingerprintOf(host: MigrationHost, model: Model): Promise<Fingerprint> {
  const own: Model = { ...model, name: `holdfastRehearsal${++rehearsals} ${model.name}` }
  const columns = model.columns.map(({ name }) => name).sort()
  return host.withModel(own, async () => {
    const hash = createHash('sha256')
    let rows = 0
    // biome-ignore lint/suspicious/noExplicitAny: the rows of a model that is known at run time only.
    const repository = new Repository<any, any, any, any, any>(host.session, { ...own, kind: 'table' })
    for await (const row of repository.stream()) {
      rows++
      hash.update(contentOf(columns.map((name) => (row as Record<string, unknown>)[name])))
    }
    return { rows, hash: hash.digest('hex') }
  })
}

/** Compares what the database held before with what it holds after it was migrated and brought back. */
function lostBetween(before: Fingerprints, after: Fingerprints): string[] {
  return [...before].flatMap(([table, { rows, hash }]) => {
    const found = after.get(table)
    if (found === undefined) return [`the table ${table} is gone after the rollback`]
    if (found.rows !== rows) return [`${table} has ${found.rows} rows after the rollback instead of ${rows}`]
    return found.hash === hash ? [] : [`${table} has other values after the rollback`]
  })
}

/** Compares what the database holds after it was migrated with what it holds when that is done again. */
function changedBetween(once: Fingerprints, again: Fingerprints): string[] {
  return [...again].flatMap(([table, { rows, hash }]) => {
    const before = once.get(table)
    return before?.rows === rows && before.hash === hash
      ? []
      : [`${table} holds something else when it is migrated a second time`]
  })
}
