import { type Alteration, type AlterTable, alterationOf, contentOf } from '../../backend/index.ts'
import { ConfigurationError, ConstraintError, MigrationError } from '../../base/errors.ts'
import type { Model, ModelColumn, Models } from '../../schema/index.ts'
import { addColumnStatement, copyStatement, createIndexes, createTable, sqliteDialect } from '../sql/index.ts'
import type { Database } from './driver.ts'

/** What a table that is built anew is called meanwhile. */
export const REBUILT = 'holdfast_rebuilt'

/**
 * Alters a table. SQLite itself adds columns and renames; for everything else the table is built anew beside the old one, filled, and put in
 * its place, as https://sqlite.org/lang_altertable.html#otheralter says: triggers, views and the indexes that are not ours stay.
 */
export function alterTable(database: Database, change: AlterTable, models: Models): void {
  const alteration = alterationOf(change)
  if (!needsRebuild(alteration)) {
    for (const text of alterStatements(change, models)) database.exec(text)
    return
  }
  assertKnown(database, change.from)
  assertUnguarded(database)
  for (const text of before(alteration)) database.exec(text)
  const attached = attachedTo(database, alteration)
  try {
    for (const text of rebuild(alteration, models)) run(database, text, alteration)
  } finally {
    database.exec('pragma legacy_alter_table = off')
  }
  for (const text of [...createIndexes(change.to, sqliteDialect), ...attached]) database.exec(text)
  assertReferences(database, alteration)
}

/** @throws ConstraintError where a row refers to none by a key that is new; the others are looked at when all is done. */
function assertReferences(database: Database, { to, foreignKeys }: Alteration): void {
  if (foreignKeys.added.length === 0) return
  const broken = database.prepareRead('select fkid from pragma_foreign_key_check(?) limit 1').get(to.table)
  if (broken === undefined) return
  const [key] = broken as [number]
  const [column] = database
    .prepareRead('select "from" from pragma_foreign_key_list(?) where id = ?')
    .get(to.table, key) as [string]
  const field = to.columns.find((one) => one.column === column)
  throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', to.name, [field?.name ?? column])
}

/** What `alterTable` runs, apart from what else is attached to the table. */
export function alterStatements(change: AlterTable, models: Models): string[] {
  const alteration = alterationOf(change)
  const { to, columns } = alteration
  const texts = before(alteration)
  if (needsRebuild(alteration)) texts.push(...rebuild(alteration, models), 'pragma legacy_alter_table = off')
  else texts.push(...columns.added.map((column) => addColumnStatement(column, to, models, sqliteDialect)))
  return [...texts, ...createIndexes(to, sqliteDialect)]
}

function needsRebuild(alteration: Alteration): boolean {
  return !addsOnly(alteration) && !isSame(alteration)
}

/** What goes, and what is called otherwise: SQLite carries new names into indexes, triggers, views and the tables that refer to this one. */
function before({ from, to, columns, indexes }: Alteration): string[] {
  const renamed = indexes.kept.filter((kept) => kept.from.name !== kept.to.name).map((kept) => kept.from)
  const texts = [...indexes.dropped, ...renamed].map(({ name }) => `drop index if exists ${quoted(name)}`)
  if (from.table !== to.table) texts.push(`alter table ${quoted(from.table)} rename to ${quoted(to.table)}`)
  for (const { from: old, to: now } of columns.kept) {
    if (old.column === now.column) continue
    texts.push(`alter table ${quoted(to.table)} rename column ${quoted(old.column)} to ${quoted(now.column)}`)
  }
  return texts
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

/** The table beside the old one, with its rows, and then in its place. Names elsewhere mean the table that will have its name again. */
function rebuild(alteration: Alteration, models: Models): string[] {
  const { to } = alteration
  return [
    'pragma legacy_alter_table = on',
    createTable(to, models, sqliteDialect, REBUILT),
    copyStatement(alteration, REBUILT, sqliteDialect),
    ...(to.columns.some(({ generated }) => generated) ? carryCount(to.table) : []),
    `drop table ${quoted(to.table)}`,
    `alter table ${quoted(REBUILT)} rename to ${quoted(to.table)}`,
  ]
}

/** Keys that were given and are gone are not given again. */
function carryCount(table: string): string[] {
  const name = `'${table.replaceAll("'", "''")}'`
  return [
    `delete from sqlite_sequence where name = '${REBUILT}' and exists (select 1 from sqlite_sequence where name = ${name})`,
    `insert into sqlite_sequence (name, seq) select '${REBUILT}', seq from sqlite_sequence where name = ${name}`,
  ]
}

function run(database: Database, text: string, { to }: Alteration): void {
  try {
    database.exec(text)
  } catch (error) {
    // What an integer key is told of a value of another type; other columns are told that it is a constraint.
    const isMismatch = error instanceof Error && error.message.includes('datatype mismatch')
    throw isMismatch ? new ConstraintError('CONSTRAINT_CHECK', to.name, to.primaryKey, error) : error
  }
}

/** The texts of the triggers and of the indexes that are not ours. */
function attachedTo(database: Database, { from, to }: Alteration): string[] {
  const ours = new Set([...from.indexes, ...to.indexes].map(({ name }) => name))
  const attached = database
    .prepareRead(
      `select type, name, sql from sqlite_schema where tbl_name = ? and type in ('index', 'trigger') and sql is not null`,
    )
    .all(to.table) as [string, string, string][]
  return attached.filter(([type, name]) => type === 'trigger' || !ours.has(name)).map(([, , text]) => text)
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
