import type { Issue } from '../base/errors.ts'
import type { ColumnDefinition } from './column.ts'
import { type FieldPath, type Model, type ModelCheck, type ModelIndex, resolveField } from './model.ts'
import { constraintName, databaseName } from './names.ts'

/** A column by its name. */
export type NamedDefinition = readonly [string, ColumnDefinition]

/** The indexes of a model: of its unique columns, and those that its options ask for. */
export function indexesOf(
  model: Model,
  columns: readonly NamedDefinition[],
  options: {
    readonly indexes?: readonly (string | readonly string[])[]
    readonly unique?: readonly (string | readonly string[])[]
    readonly sparse?: readonly string[]
  },
  issues: Issue[],
): ModelIndex[] {
  for (const name of options.sparse ?? []) {
    if (model.byName.get(name)?.nullable !== true)
      issues.push({ path: `${model.name}.sparse`, reason: `names no nullable column ${name}` })
  }
  const wanted: [string | readonly string[], boolean][] = [
    ...columns.filter(([, { unique }]) => unique).map(([field]): [string, boolean] => [field, true]),
    ...(options.unique ?? []).map((fields): [string | readonly string[], boolean] => [fields, true]),
    ...(options.indexes ?? []).map((fields): [string | readonly string[], boolean] => [fields, false]),
  ]
  const indexes = new Map<string, ModelIndex>()
  for (const [written, unique] of wanted) {
    const names = typeof written === 'string' ? [written] : written
    const fields: FieldPath[] = []
    for (const name of names) {
      const field = resolveField(model, name)
      if (field === null)
        issues.push({ path: `${model.name}.${unique ? 'unique' : 'indexes'}`, reason: `names no field ${name}` })
      else if (field.path.length === 0 && model.byName.get(field.column)?.type === 'json') {
        issues.push({ path: `${model.name}.${name}`, reason: 'is JSON; index a path into it' })
      } else fields.push(field)
    }
    const parts = fields.map(({ column, path }) =>
      model.kind === 'documents' && path.length > 0 ? path.join('_') : [databaseName(column), ...path].join('_'),
    )
    const name = constraintName(model.table, parts, unique ? 'unique' : 'index')
    const sparse = (options.sparse ?? []).filter((column) => names.includes(column))
    if (fields.length > 0)
      indexes.set(JSON.stringify([fields, unique]), { name, fields, unique, ...(sparse.length > 0 && { sparse }) })
  }
  return [...indexes.values()]
}

/** The checks of a model: of its columns, and those of its options. */
export function checksOf(model: Model, columns: readonly NamedDefinition[], checks: readonly object[]): ModelCheck[] {
  const ofColumns = columns
    .filter(([, { check }]) => check !== undefined)
    .map(
      ([field, { check }]): ModelCheck => ({
        name: constraintName(model.table, [databaseName(field)], 'check'),
        fields: [field],
        where: { [field]: check },
        nullPasses: field,
      }),
    )
  const ofTable = checks.map(
    (where, index): ModelCheck => ({
      name: constraintName(model.table, [String(index + 1)], 'check'),
      fields: fieldsOf(where),
      where: where as Record<string, unknown>,
    }),
  )
  return [...ofColumns, ...ofTable]
}

function fieldsOf(where: object): string[] {
  const fields = Object.entries(where).flatMap(([name, inner]) => {
    if (name === 'and' || name === 'or') return (inner as object[]).flatMap(fieldsOf)
    return name === 'not' ? fieldsOf(inner as object) : [name]
  })
  return [...new Set(fields)]
}
