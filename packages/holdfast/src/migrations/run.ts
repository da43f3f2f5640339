import { hostname, userInfo } from 'node:os'
import type { ExistingTable, SchemaChange, SchemaEditor, Traits } from '../backend/index.ts'
import { ConflictError, ConstraintError, isHoldfastError, LeaseLostError, MigrationError } from '../base/errors.ts'
import type { Models } from '../schema/index.ts'
import { changesOf, type StepChanges } from './changes.ts'
import { fitOf } from './fit.ts'
import type { AlteringSession, MigrationHost } from './host.ts'
import { noteApplied, noteRolledBack } from './ledger.ts'
import type { MigrationLock } from './lock.ts'
import type { ReadMigration } from './migration.ts'
import type { SchemaState } from './schema-state.ts'

/** What running a migration needs. */
export interface RunContext {
  readonly host: MigrationHost
  readonly lock: MigrationLock
  /** The tables that were there before, by name: some of them may have been made by `autoCreate`. */
  readonly live: Map<string, ExistingTable>
}

/** Makes the steps of `up` and notes them in the ledger, in one transaction; gives how long it took. */
export async function runUp(
  context: RunContext,
  migration: ReadMigration,
  before: SchemaState,
  position: number,
): Promise<number> {
  const started = performance.now()
  const steps = prepared(context, migration, before, 'up')
  let durationMs = 0
  await inTransaction(context, migration, async (session) => {
    await makeSteps(session, migration, steps)
    durationMs = Math.round(performance.now() - started)
    const { name, checksum } = migration
    const version = process.env['npm_package_version'] ?? null
    await noteApplied(session, { name, position, checksum, durationMs, appliedBy: whoRuns(), version })
  })
  return durationMs
}

/** Makes the steps of `down` and takes the migration out of the ledger, in one transaction. */
export async function runDown(context: RunContext, migration: ReadMigration, before: SchemaState): Promise<number> {
  const started = performance.now()
  const steps = prepared(context, migration, before, 'down')
  await inTransaction(context, migration, async (session) => {
    await makeSteps(session, migration, steps)
    await noteRolledBack(session, migration.name)
  })
  return Math.round(performance.now() - started)
}

/** The SQL of the steps of `up`, as it would be run. */
export function statementsOf(
  { name, up }: ReadMigration,
  before: SchemaState,
  schema: Pick<SchemaEditor, 'statements'>,
  dialect: Traits['sql'],
): string[] {
  return changesOf(before, up, dialect, { migration: name, direction: 'up' }).flatMap(({ changes, models }) =>
    schema.statements(changes, models),
  )
}

interface PreparedStep extends StepChanges {
  /** As `changes`, without what is there already. */
  readonly fitted: readonly SchemaChange[]
}

function prepared(
  { host, live }: RunContext,
  migration: ReadMigration,
  before: SchemaState,
  direction: 'up' | 'down',
): PreparedStep[] {
  const steps = migration[direction] ?? []
  try {
    return changesOf(before, steps, host.session.traits.sql, { migration: migration.name, direction }).map((one) => ({
      ...one,
      fitted: one.changes.flatMap((change) => fitted(change, live, host)),
    }))
  } catch (error) {
    throw failed(migration, error, 'Correct the migration; nothing was done.')
  }
}

/**
 * A change without what is there already: in development the schema in the code is ahead of the migrations, and `autoCreate` has added what
 * they are about to add.
 *
 * @throws MigrationError where a table that is there is another.
 */
function fitted(change: SchemaChange, live: Map<string, ExistingTable>, { schema }: MigrationHost): SchemaChange[] {
  if (change.kind === 'createTable') {
    const table = live.get(change.model.table)
    if (table === undefined) return [change]
    const { changes, differences } = fitOf(change.model, table, schema)
    if (differences.length === 0) return [...changes]
    throw new MigrationError(`There is a table ${table.name} already, and it is another: ${differences.join('; ')}.`, {
      code: 'SCHEMA_MISMATCH',
      hint: 'Open the storage with autoCreate: false, so that only migrations make tables; or drop or rename that table.',
      differences,
    })
  }
  if (change.kind === 'dropTable') live.delete(change.table)
  if (change.kind !== 'alterTable') return [change]
  const table = live.get(change.from.table)
  if (table === undefined) return [change]
  live.delete(table.name)
  const names = new Set(change.from.columns.map(({ column }) => column))
  const after = schema.expected(change.to)
  const expected = after.columns
  const others = table.columns.filter(({ name }) => !names.has(name) && !expected.some((one) => one.name === name))
  live.set(change.to.table, {
    ...after,
    columns: [...expected, ...others],
    indexes: [...table.indexes, ...after.indexes],
  })
  const there = change.to.columns.filter(({ column }) => {
    const found = table.columns.find(({ name }) => name === column)
    const wanted = expected.find(({ name }) => name === column)
    return !names.has(column) && found?.type === wanted?.type && found?.nullable === wanted?.nullable
  })
  if (there.length === 0) return [change]
  const columns = [...change.from.columns, ...there]
  const isThere = (column: string): boolean => there.some(({ name }) => name === column)
  const from = {
    ...change.from,
    columns,
    byName: new Map(columns.map((column) => [column.name, column])),
    indexes: change.to.indexes.filter(({ name }) => table.indexes.some((index) => index.name === name)),
    foreignKeys: [...change.from.foreignKeys, ...change.to.foreignKeys.filter(({ column }) => isThere(column))],
    checks: [...change.from.checks, ...change.to.checks.filter(({ nullPasses }) => isThere(nullPasses ?? ''))],
  }
  return [{ ...change, from }]
}

async function inTransaction(
  { host, lock }: RunContext,
  migration: ReadMigration,
  work: (session: AlteringSession) => Promise<void>,
): Promise<void> {
  try {
    await host.alter(async (session) => {
      await lock.hold(session)
      await work(session)
      await lock.hold(session)
    })
  } catch (error) {
    // SQLite looks at references when all is done.
    throw error instanceof ConstraintError ? failed(migration, error, hintFor(error), 'at its end') : error
  }
}

async function makeSteps(
  session: AlteringSession,
  migration: ReadMigration,
  steps: readonly PreparedStep[],
): Promise<void> {
  for (const [at, { fitted, models, step }] of steps.entries()) {
    if (fitted.length === 0) continue
    try {
      await session.applySchema(fitted, models as Models)
    } catch (error) {
      if (error instanceof LeaseLostError || (isHoldfastError(error) && error.retryable)) throw error
      throw failed(migration, error, hintFor(error), `at step ${at + 1} of ${steps.length}, ${step.kind}`)
    }
  }
}

function hintFor(error: unknown): string {
  if (error instanceof ConflictError)
    return 'Rows that are there collide: change them in a step before. Nothing was kept.'
  if (error instanceof ConstraintError)
    return 'Rows that are there do not meet it: give `fill`, or change them in a step before. Nothing was kept.'
  return 'Correct the migration and apply it again. Nothing of it was kept.'
}

function failed(
  { name }: ReadMigration,
  error: unknown,
  hint: string,
  where = 'before its first step',
): MigrationError {
  const reason = error instanceof Error ? error.message : String(error)
  return new MigrationError(`The migration ${name} failed ${where}: ${reason}`, {
    hint,
    cause: error,
    ...(error instanceof MigrationError && { code: error.code as 'MIGRATION', differences: error.differences }),
  })
}

function whoRuns(): string {
  return `${userName()}@${hostname()} ${process.pid}`
}

/** A container may run as a user without a name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
