import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type SchemaChange, SQL_ACTIONS } from '../../backend/index.ts'
import { StorageError } from '../../base/errors.ts'
import type { FieldPath, ForeignKey, Model, ModelColumn, ModelIndex, Models } from '../../schema/index.ts'
import { checkConstraint, rangeConstraint } from './checks.ts'
import type { Dialect, NewTable, Sql } from './dialect.ts'
import { columnOf, fieldsOf } from './fields.ts'
import { primaryKeyName } from './names.ts'

/**
 * The statements that make tables and their indexes: all tables before all indexes, and those before foreign keys that are added apart, so
 * that tables may refer to each other in a cycle.
 *
 * @param present the names of the tables that are there, which are not created again; those that are made are added.
 */
export function creatingStatements(
  changes: readonly CreatingChange[],
  present: Set<string>,
  models: Models,
  dialect: Dialect,
): string[] {
  const tables: string[] = []
  const indexes: string[] = []
  const foreignKeys: string[] = []
  for (const change of changes) {
    const { model } = change
    if (change.kind === 'createIndex') {
      indexes.push(...createIndex(indexOf(model, change.index), model, dialect))
    } else if (!present.has(model.table)) {
      present.add(model.table)
      tables.push(createTable(model, models, dialect))
      indexes.push(...createIndexes(model, dialect))
      if (!dialect.ddl.foreignKeysInTable) {
        foreignKeys.push(...model.foreignKeys.map((foreignKey) => addForeignKey(foreignKey, model, models, dialect)))
      }
    }
  }
  return [...tables, ...indexes, ...foreignKeys]
}

/** A change that makes something new. */
export type CreatingChange = Extract<SchemaChange, { kind: 'createTable' | 'createIndex' }>

/** The statements that make all indexes of a table. */
export function createIndexes(model: Model, dialect: Dialect): string[] {
  const ordered = dialect.ddl.indexesLastFirst ? model.indexes.toReversed() : model.indexes
  return ordered.flatMap((index) => createIndex(index, model, dialect))
}

function indexOf(model: Model, name: string): ModelIndex {
  const index = model.indexes.find((one) => one.name === name)
  if (index !== undefined) return index
  throw new StorageError('DRIVER', `There is no index ${name} in ${model.name}.`, {
    hint: 'Name one of the indexes of the model.',
  })
}

/** @param name what the table is called for now, while another has its name. */
export function createTable(model: Model, models: Models, dialect: Dialect, name: string = model.table): string {
  let table: NewTable = dialect.builder.schema.createTable(name)
  for (const column of model.columns) table = addColumn(table, column, model, dialect)
  if (!model.columns.some(({ generated }) => generated)) {
    table = table.addPrimaryKeyConstraint(primaryKeyName(model), columnNames(model.primaryKey, model))
  }
  for (const column of model.columns) {
    const range = rangeConstraint(column, model, dialect)
    if (range !== null) table = table.addCheckConstraint(range.name, range.condition)
  }
  for (const check of model.checks) table = table.addCheckConstraint(check.name, checkConstraint(check, model, dialect))
  if (dialect.ddl.foreignKeysInTable) {
    for (const foreignKey of model.foreignKeys) {
      const { columns, target, references, onDelete, onUpdate } = referenceOf(foreignKey, model, models)
      table = table.addForeignKeyConstraint(foreignKey.name, columns, target, references, (constraint) =>
        constraint.onDelete(onDelete).onUpdate(onUpdate),
      )
    }
  }
  const { tableOptions } = dialect.ddl
  return (tableOptions === undefined ? table : table.modifyEnd(tableOptions)).compile().sql
}

function addColumn(table: NewTable, column: ModelColumn, model: Model, dialect: Dialect): NewTable {
  if (column.generated) return table.addColumn(column.column, dialect.ddl.generated(primaryKeyName(model)))
  return table.addColumn(column.column, dialect.ddl.columnType(column), (definition) => {
    const required = column.nullable ? definition : definition.notNull()
    const given = defaultOf(column, dialect)
    return given === null ? required : required.defaultTo(given)
  })
}

/** The default that the database has for a column; null for none. Functions and ids are Holdfast's own. */
export function defaultOf(column: ModelColumn, dialect: Dialect): Sql | null {
  const given = column.default
  if (given?.kind === 'now') return dialect.ddl.now
  return given?.kind !== 'value' || given.value === null ? null : constantOf(given.value, column, dialect)
}

/** A value of a column, written out in the form in which it is stored. */
export function constantOf(value: unknown, column: ModelColumn, dialect: Dialect): Sql {
  const { type, encode } = dialect.codec(column)
  const stored = column.accept(value, column.name, [])
  return dialect.literal(encode === undefined ? stored : encode(stored), type)
}

export function columnNames(fields: readonly string[], model: Model): string[] {
  return fields.map((field) => columnOf(model, field).column)
}

/** A foreign key in the words of the database. */
interface ReferenceNames {
  readonly columns: string[]
  readonly target: string
  readonly references: string[]
  readonly onDelete: (typeof SQL_ACTIONS)[ForeignKey['onDelete']]
  readonly onUpdate: (typeof SQL_ACTIONS)[ForeignKey['onDelete']]
}

export function referenceOf(
  { column, model: target, onDelete, onUpdate }: ForeignKey,
  model: Model,
  models: Models,
): ReferenceNames {
  const to = models.get(target) as Model
  return {
    columns: columnNames([column], model),
    target: to.table,
    references: columnNames(to.primaryKey, to),
    onDelete: SQL_ACTIONS[onDelete],
    onUpdate: SQL_ACTIONS[onUpdate],
  }
}

export function addForeignKey(foreignKey: ForeignKey, model: Model, models: Models, dialect: Dialect): string {
  const { columns, target, references, onDelete, onUpdate } = referenceOf(foreignKey, model, models)
  return dialect.builder.schema
    .alterTable(model.table)
    .addForeignKeyConstraint(foreignKey.name, columns, target, references)
    .onDelete(onDelete)
    .onUpdate(onUpdate)
    .compile().sql
}

export function createIndex(index: ModelIndex, model: Model, dialect: Dialect): string[] {
  const fields = fieldsOf(model, dialect)
  const columns = index.fields.flatMap(({ column, path }): Sql[] => {
    const term = fields({ source: 0, column, path })
    if (term.kind === 'value') return [dialect.ddl.indexed(term.sql, term.nullable)]
    const keys = index.unique ? term.path.uniqueKeys : term.path.keys
    return keys.map((key) => dialect.ddl.indexed(sql`(${key})`, true))
  })
  const builder = dialect.builder.schema
    .createIndex(index.name)
    .ifNotExists()
    .on(model.table)
    .expression(sql.join(columns))
  const whole = index.unique ? builder.unique() : builder
  const own = (index.sparse === undefined ? whole : whole.where(present(index.sparse, model))).compile().sql
  return [own, ...dialect.ddl.pathIndexes(model.table, pathColumns(index.fields, model))]
}

/** That all of these columns have a value: what the rows of a sparse index have in common. */
export function present(columns: readonly string[], model: Model): RawBuilder<SqlBool> {
  const conditions = columns.map((name) => sql<SqlBool>`${sql.ref(columnOf(model, name).column)} is not null`)
  return sql<SqlBool>`${sql.join(conditions, sql` and `)}`
}

/** The JSON columns that an index has paths into. */
export function pathColumns(fields: readonly FieldPath[], model: Model): string[] {
  const columns = fields.filter(({ path }) => path.length > 0).map(({ column }) => columnOf(model, column).column)
  return [...new Set(columns)]
}
