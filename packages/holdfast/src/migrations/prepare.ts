import type { ExistingTable, SchemaChange } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import type { Model } from '../schema/index.ts'
import { failed } from './attempt.ts'
import { changesOf, type StepChanges } from './changes.ts'
import { fitOf } from './fit.ts'
import type { MigrationHost } from './host.ts'
import type { MigrationLock } from './lock.ts'
import type { ReadMigration } from './migration.ts'
import type { SchemaState } from './schema-state.ts'

/** What running a migration needs. */
export interface RunContext {
  readonly host: MigrationHost
  readonly lock: MigrationLock
  /** The tables that were there before, by name: some of them may have been made by `autoCreate`. */
  readonly live: Map<string, ExistingTable>
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined
}

/** How far a data step is. */
export interface MigrationProgress {
  /** The migration. */
  readonly name: string
  /** Which of its steps, from 1 on. */
  readonly step: number
  /** The table in the database. */
  readonly table: string
  /** How many rows were changed. */
  readonly rows: number
  /** How many rows match; all of the table for SQL. */
  readonly total: number
  /** Whether it was the last batch. */
  readonly done: boolean
}

/** A step, and what is to be done of it. */
export interface PreparedStep extends StepChanges {
  /** As `changes`, without what is there already. */
  readonly fitted: readonly SchemaChange[]
}

/** The steps of a migration, and what each is to do to this database. */
export function prepared(
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

/** The tables that changes alter, as they were and as they are to be. */
export function changedModels(changes: readonly SchemaChange[]): { readonly from: Model; readonly to: Model }[] {
  return changes.flatMap((change) => (change.kind === 'alterTable' ? [{ from: change.from, to: change.to }] : []))
}
