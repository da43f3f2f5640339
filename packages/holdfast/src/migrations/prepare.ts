import type { AlterTable, ExistingTable, SchemaChange, SchemaEditor } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import type { Model, ModelColumn } from '../schema/index.ts'
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
function fitted(
  change: SchemaChange,
  live: Map<string, ExistingTable>,
  { schema }: MigrationHost,
): readonly SchemaChange[] {
  switch (change.kind) {
    case 'createTable':
      return fittedTable(change, live.get(change.model.table), schema)
    case 'alterTable':
      return [fittedAlteration(change, live, schema)]
    case 'dropTable':
      live.delete(change.table)
      return [change]
    default:
      return [change]
  }
}

/** @throws MigrationError where the table that is there is another. */
function fittedTable(
  change: SchemaChange & { readonly kind: 'createTable' },
  table: ExistingTable | undefined,
  schema: SchemaEditor,
): readonly SchemaChange[] {
  if (table === undefined) return [change]
  const { changes, differences } = fitOf(change.model, table, schema)
  if (differences.length === 0) return changes
  throw new MigrationError(`There is a table ${table.name} already, and it is another: ${differences.join('; ')}.`, {
    code: 'SCHEMA_MISMATCH',
    hint: 'Open the storage with autoCreate: false, so that only migrations make tables; or drop or rename that table.',
    differences,
  })
}

/** The alteration of a table that has some of the new columns and indexes; `live` has the table as it is after that. */
function fittedAlteration(change: AlterTable, live: Map<string, ExistingTable>, schema: SchemaEditor): AlterTable {
  const table = live.get(change.from.table)
  if (table === undefined) return change
  const before = new Set(change.from.columns.map(({ column }) => column))
  const after = schema.expected(change.to)
  const others = table.columns.filter(
    ({ name }) => !before.has(name) && !after.columns.some((one) => one.name === name),
  )
  live.delete(table.name)
  live.set(change.to.table, {
    ...after,
    columns: [...after.columns, ...others],
    indexes: [...table.indexes, ...after.indexes],
  })
  const there = change.to.columns.filter(({ column }) => {
    const found = table.columns.find(({ name }) => name === column)
    const wanted = after.columns.find(({ name }) => name === column)
    return !before.has(column) && found?.type === wanted?.type && found?.nullable === wanted?.nullable
  })
  return there.length === 0 ? change : { ...change, from: withThere(change, there, table) }
}

/** What an alteration starts from where some of what it adds is there. */
function withThere({ from, to }: AlterTable, there: readonly ModelColumn[], table: ExistingTable): Model {
  const columns = [...from.columns, ...there]
  const isThere = (column: string): boolean => there.some(({ name }) => name === column)
  return {
    ...from,
    columns,
    byName: new Map(columns.map((column) => [column.name, column])),
    indexes: to.indexes.filter(({ name }) => table.indexes.some((index) => index.name === name)),
    foreignKeys: [...from.foreignKeys, ...to.foreignKeys.filter(({ column }) => isThere(column))],
    checks: [...from.checks, ...to.checks.filter(({ nullPasses }) => isThere(nullPasses ?? ''))],
  }
}

/** The tables that changes alter, as they were and as they are to be. */
export function changedModels(changes: readonly SchemaChange[]): { readonly from: Model; readonly to: Model }[] {
  return changes.flatMap((change) => (change.kind === 'alterTable' ? [{ from: change.from, to: change.to }] : []))
}
