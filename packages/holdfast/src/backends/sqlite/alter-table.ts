import { type Alteration, type AlterTable, alterationOf, contentOf } from '../../backend/index.ts'
import { ConfigurationError, ConstraintError, MigrationError } from '../../base/errors.ts'
import type { Model, ModelColumn, Models } from '../../schema/index.ts'
import { addColumnStatement, copyStatement, createIndexes, createTable, sqliteDialect } from '../sql/index.ts'
import type { Database } from './driver.ts'

const REBUILT = 'holdfast_rebuilt'

/**
 * Alters a table. SQLite itself adds columns and renames; for everything else the table is built anew beside the old one, filled, and put in
 * its place, as https://sqlite.org/lang_altertable.html#otheralter says: triggers, views and the indexes that are not ours stay.
 */
export function alterTable(database: Database, change: AlterTable, models: Models): void {
  const alteration = alterationOf(change)
  dropIndexes(database, alteration)
  if (addsOnly(alteration)) {
    for (const column of alteration.columns.added)
      database.exec(addColumnStatement(column, change.to, models, sqliteDialect))
  } else if (!isSame(alteration)) {
    assertKnown(database, change.from)
    rename(database, alteration)
    rebuild(database, alteration, models)
    return
  }
  for (const text of createIndexes(change.to, sqliteDialect)) database.exec(text)
}

/** @throws MigrationError for a column that the model does not know: building the table anew would lose it. */
function assertKnown(database: Database, model: Model): void {
  const found = database.prepareRead('select name from pragma_table_info(?)').all(model.table) as [string][]
  const unknown = found.filter(([name]) => !model.columns.some(({ column }) => column === name))
  if (unknown.length === 0) return
  const names = unknown.map(([name]) => `${model.table}.${name}`)
  throw new MigrationError(`The database has columns that no migration made: ${names.join(', ')}.`, {
    hint: 'Add them in a migration before this one, or drop them.',
    differences: names.map((name) => `the column ${name} is not in the schema`),
  })
}

function dropIndexes(database: Database, { indexes }: Alteration): void {
  const renamed = indexes.kept.filter(({ from, to }) => from.name !== to.name).map(({ from }) => from)
  for (const { name } of [...indexes.dropped, ...renamed]) database.exec(`drop index if exists ${quoted(name)}`)
}

/** Whether nothing but columns is added that SQLite adds in place. */
function addsOnly({ from, to, columns, foreignKeys, checks, keyChanges, fill }: Alteration): boolean {
  const added = new Set(columns.added.map(({ name }) => name))
  return (
    from.table === to.table &&
    !keyChanges &&
    columns.dropped.length === 0 &&
    columns.kept.every(({ from: before, to: after }) => isSameColumn(before, after)) &&
    foreignKeys.dropped.length + checks.dropped.length + checks.added.length === 0 &&
    foreignKeys.added.every(({ column }) => added.has(column)) &&
    columns.added.every((column) =>
      isAddable(
        column,
        foreignKeys.added.some((key) => key.column === column.name),
      ),
    ) &&
    columns.added.length > 0 &&
    fill.size === 0 &&
    [...foreignKeys.kept, ...checks.kept].every((kept) => kept.from.name === kept.to.name)
  )
}

function isAddable({ generated, nullable, default: given }: ModelColumn, refers: boolean): boolean {
  if (generated || given?.kind === 'now') return false
  const hasDefault = given?.kind === 'value' && given.value !== null
  return hasDefault ? !refers : nullable
}

function isSame(alteration: Alteration): boolean {
  const { from, to, columns, foreignKeys, checks, keyChanges, fill } = alteration
  const parts = [columns, foreignKeys, checks]
  return (
    from.table === to.table &&
    !keyChanges &&
    fill.size === 0 &&
    parts.every(({ dropped, added }) => dropped.length + added.length === 0) &&
    columns.kept.every(({ from: before, to: after }) => isSameColumn(before, after)) &&
    [...foreignKeys.kept, ...checks.kept].every((kept) => kept.from.name === kept.to.name)
  )
}

function isSameColumn(before: ModelColumn, after: ModelColumn): boolean {
  return contentOf(stored(before)) === contentOf(stored(after))
}

function stored({ accept, schema, default: given, name, ...rest }: ModelColumn): unknown {
  return [rest, given?.kind === 'now' || given?.kind === 'value' ? given : null]
}

/** SQLite carries new names into indexes, triggers, views and the tables that refer to this one. */
function rename(database: Database, { from, to, columns }: Alteration): void {
  if (from.table !== to.table) database.exec(`alter table ${quoted(from.table)} rename to ${quoted(to.table)}`)
  for (const { from: before, to: after } of columns.kept) {
    if (before.column === after.column) continue
    database.exec(`alter table ${quoted(to.table)} rename column ${quoted(before.column)} to ${quoted(after.column)}`)
  }
}

function rebuild(database: Database, alteration: Alteration, models: Models): void {
  assertUnguarded(database)
  const { from, to } = alteration
  const ours = new Set([...from.indexes, ...to.indexes].map(({ name }) => name))
  const attached = database
    .prepareRead(
      `select type, name, sql from sqlite_schema where tbl_name = ? and type in ('index', 'trigger') and sql is not null`,
    )
    .all(to.table) as [string, string, string][]
  const foreign = attached.filter(([type, name]) => type === 'trigger' || !ours.has(name))
  // Names in views, triggers and other tables mean the table that will have this name again.
  database.exec('pragma legacy_alter_table = on')
  try {
    database.exec(createTable(to, models, sqliteDialect, REBUILT))
    copyRows(database, alteration)
    if (to.columns.some(({ generated }) => generated)) carryCount(database, to.table)
    database.exec(`drop table ${quoted(to.table)}`)
    database.exec(`alter table ${quoted(REBUILT)} rename to ${quoted(to.table)}`)
  } finally {
    database.exec('pragma legacy_alter_table = off')
  }
  for (const text of createIndexes(to, sqliteDialect)) database.exec(text)
  for (const [, , text] of foreign) database.exec(text)
}

function copyRows(database: Database, alteration: Alteration): void {
  try {
    database.exec(copyStatement(alteration, REBUILT, sqliteDialect))
  } catch (error) {
    // What an integer key is told of a value that is none; other columns are told that it is a constraint.
    const isMismatch = error instanceof Error && error.message.includes('datatype mismatch')
    const { name, primaryKey } = alteration.to
    throw isMismatch ? new ConstraintError('CONSTRAINT_CHECK', name, primaryKey, error) : error
  }
}

/** Keys that were given and are gone are not given again. */
function carryCount(database: Database, table: string): void {
  const [count] = (database.prepareRead('select max(seq) from sqlite_sequence where name = ?').get(table) ?? []) as [
    number | null,
  ]
  if (count === null || count === undefined) return
  database.prepareWrite('delete from sqlite_sequence where name = ?').run(REBUILT)
  database.prepareWrite('insert into sqlite_sequence (name, seq) values (?, ?)').run(REBUILT, count)
}

/** To drop the old table is to delete its rows, and what refers to them would go too. */
function assertUnguarded(database: Database): void {
  const [guarded] = database.prepareRead('pragma foreign_keys').get() as [number]
  if (guarded === 0) return
  throw new ConfigurationError('This change builds a table of SQLite anew, which needs a transaction of its own.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Make it in a migration.',
  })
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
