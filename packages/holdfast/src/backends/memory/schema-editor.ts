import type { ExistingTable, SchemaChange } from '../../backend/index.ts'
import { StorageError } from '../../base/errors.ts'
import type { Model } from '../../schema/index.ts'
import { Definition } from './definition.ts'
import { Table } from './table.ts'
import type { TransactionView } from './view.ts'

/**
 * Edits the tables of a transaction: all changes or none.
 *
 * @throws ConflictError when a new unique index finds rows that collide.
 */
export function applyChanges(view: TransactionView, changes: readonly SchemaChange[]): void {
  const restore = view.savepoint()
  try {
    for (const change of changes) applyChange(view, change)
  } catch (error) {
    restore()
    throw error
  }
}

function applyChange(view: TransactionView, change: SchemaChange): void {
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
    case 'dropTable':
      if (catalog.byTable(change.table) === undefined) throw noSuchThing(change.table)
      view.replace(catalog.without(change.table), change.table, null)
  }
}

function noSuchThing(table: string, index?: string): StorageError {
  const what = index === undefined ? `table ${table}` : `table ${table} with an index ${index} in its model`
  return new StorageError('DRIVER', `There is no ${what}.`, { hint: 'Compare the change with what inspect() gives.' })
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
