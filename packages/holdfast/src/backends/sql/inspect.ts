import type { ExistingColumn, ExistingTable } from '../../backend/index.ts'
import type { Model } from '../../schema/index.ts'
import type { Dialect } from './dialect.ts'
import { columnOf } from './fields.ts'

type Cells = readonly unknown[]

/** Puts together what the texts of an `Inspection` gave. */
export function existingTables(columnRows: readonly Cells[], indexRows: readonly Cells[]): ExistingTable[] {
  const tables = new Map<
    string,
    { columns: ExistingColumn[]; key: [number, string][]; indexes: ExistingTable['indexes'][number][] }
  >()
  for (const [table, column, type, nullable, place] of columnRows) {
    const name = table as string
    const found = tables.get(name) ?? { columns: [], key: [], indexes: [] }
    tables.set(name, found)
    found.columns.push({ name: column as string, type: type as string, nullable: Number(nullable) === 1 })
    if (Number(place) > 0) found.key.push([Number(place), column as string])
  }
  for (const [table, index, unique] of indexRows) {
    tables.get(table as string)?.indexes.push({ name: index as string, unique: Number(unique) === 1 })
  }
  return [...tables].map(([name, { columns, key, indexes }]) => {
    const primaryKey = key.sort(([left], [right]) => left - right).map(([, column]) => column)
    return { name, columns, primaryKey, indexes }
  })
}

/** A table as `existingTables` gives it when it was made from this model. */
export function expectedTable(model: Model, dialect: Dialect): ExistingTable {
  return {
    name: model.table,
    columns: model.columns.map((column) => ({
      name: column.column,
      type: dialect.codec(column).type,
      nullable: column.nullable,
    })),
    primaryKey: model.primaryKey.map((name) => columnOf(model, name).column),
    indexes: model.indexes.map(({ name, unique }) => ({ name, unique })),
  }
}
