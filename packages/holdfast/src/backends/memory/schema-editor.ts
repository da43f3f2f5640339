import { contentOf, type ExistingTable, type SchemaChange, SQL_ACTIONS, type TableRules } from '../../backend/index.ts'
import { ConstraintError, StorageError } from '../../base/errors.ts'
import type { Model } from '../../schema/index.ts'
import { databaseName } from '../../schema/names.ts'
import { alterTable } from './alter-table.ts'
import type { Catalog } from './catalog.ts'
import { Definition } from './definition.ts'
import { Table } from './table.ts'
import type { TransactionView } from './view.ts'

/**
 * Edits the tables of a transaction: all changes or none.
 *
 * @throws ConflictError when a new unique index finds rows that collide.
 */
export function applyChanges(view: TransactionView, changes: readonly SchemaChange[], nowMs: number): void {
  const restore = view.savepoint()
  try {
    for (const change of changes) applyChange(view, change, nowMs)
  } catch (error) {
    restore()
    throw error
  }
}

function applyChange(view: TransactionView, change: SchemaChange, nowMs: number): void {
  const { catalog } = view
  switch (change.kind) {
    case 'createTable': {
      if (catalog.byTable(change.model.table) !== undefined) return
      const definition = new Definition(change.model)
      view.replace(catalog.with(definition), definition.model.table, new Table(definition))
      return
    }
    case 'createIndex': {
      const { table, indexes } = change.model
      const before = catalog.byTable(table)
      const index = indexes.find(({ name }) => name === change.index)
      if (before === undefined || index === undefined) throw noSuchThing(table, change.index)
      if (before.model.indexes.some(({ name }) => name === index.name)) return
      const definition = before.withIndex(index)
      view.replace(catalog.with(definition), table, view.table(table).withDefinition(definition))
      return
    }
    case 'dropTable': {
      const dropped = catalog.byTable(change.table)
      if (dropped === undefined) throw noSuchThing(change.table)
      assertNotReferred(catalog, dropped)
      view.replace(catalog.without(change.table), change.table, null)
      return
    }
    case 'alterTable':
      if (catalog.byTable(change.from.table) === undefined) throw noSuchThing(change.from.table)
      alterTable(view, change, nowMs)
      return
    case 'sql':
      throw new StorageError('DRIVER', 'The memory backend runs no SQL.', { hint: 'Give SQL to backends that run it.' })
  }
}

/** Tables that nothing refers to can be dropped; a reference of its own does not count. */
function assertNotReferred(catalog: Catalog, definition: Definition): void {
  const referrer = catalog.referrersOf(definition).find(({ from }) => from !== definition)
  if (referrer === undefined) return
  const { from, foreignKey } = referrer
  throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', from.model.name, [foreignKey.column])
}

function noSuchThing(table: string, index?: string): StorageError {
  const what = index === undefined ? `table ${table}` : `table ${table} with an index ${index} in its model`
  return new StorageError('DRIVER', `There is no ${what}.`, { hint: 'Compare the change with what inspect() gives.' })
}

/** The rules of a table as this backend describes them. */
export function rulesOf({ table, columns, primaryKey, byName, indexes, foreignKeys, checks }: Model): TableRules {
  const rules: [string, string][] = [
    [
      `primary key ${table}`,
      contentOf([primaryKey, columns.filter(({ generated }) => generated).map(({ name }) => name)]),
    ],
    ...indexes.map(({ name, ...rest }): [string, string] => [`index ${name}`, contentOf(rest)]),
    ...foreignKeys.map(({ name, ...rest }): [string, string] => [`foreign key ${name}`, contentOf(rest)]),
    ...checks.map(({ name, ...rest }): [string, string] => [`check ${name}`, contentOf(rest)]),
    ...columns.flatMap(({ column, default: given }): [string, string][] =>
      given?.kind === 'value' || given?.kind === 'now' ? [[`default of ${column}`, contentOf(given)]] : [],
    ),
    ...columns.flatMap(({ column, values, precision }): [string, string][] =>
      values === undefined && precision === undefined ? [] : [[`range of ${column}`, contentOf([values, precision])]],
    ),
  ]
  const nameOf = (column: string): string => byName.get(column)?.column as string
  return {
    name: table,
    rules: new Map(rules),
    indexes: indexes.map(({ name, unique, fields, sparse }) => ({
      name,
      unique,
      partial: sparse !== undefined,
      columns: fields.map(({ column, path }) => (path.length === 0 ? nameOf(column) : null)),
    })),
    references: foreignKeys.map(({ column, model, onDelete, onUpdate }) => ({
      columns: [nameOf(column)],
      table: databaseName(model),
      references: [],
      onDelete: SQL_ACTIONS[onDelete],
      onUpdate: SQL_ACTIONS[onUpdate],
    })),
  }
}

/** A table as this backend describes it: types are the column types of the schema. */
export function describeTable(model: Model): ExistingTable {
  return {
    name: model.table,
    columns: model.columns.map(({ column, type, nullable }) => ({ name: column, type, nullable })),
    primaryKey: model.primaryKey.map((name) => model.byName.get(name)?.column as string),
    indexes: model.indexes.map(({ name, unique }) => ({ name, unique })),
  }
}
