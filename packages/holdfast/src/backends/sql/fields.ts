import { sql } from 'kysely'
import type { Model, ModelColumn, Models } from '../../schema/index.ts'
import type { Field, Select } from '../../statement/index.ts'
import type { Dialect, JsonPath, Sql, Values, ValueType } from './dialect.ts'

/** What a field of a statement is in SQL: a value of one type, or whatever stands at a path into JSON. */
export type Term =
  | { readonly kind: 'value'; readonly sql: Sql; readonly type: ValueType; readonly nullable: boolean }
  | { readonly kind: 'path'; readonly path: JsonPath }

/** Says what a field is. */
export type Fields = (field: Field) => Term

/** What a condition needs to become SQL. */
export interface ConditionContext {
  readonly dialect: Dialect
  readonly fields: Fields
  readonly values: Values
}

/** The model of a statement. Statements are made from models, so it is there. */
export function modelOf(models: Models, model: string): Model {
  return models.get(model) as Model
}

/** A column of a model. Statements are checked against their models, so it is there. */
export function columnOf(model: Model, column: string): ModelColumn {
  return model.byName.get(column) as ModelColumn
}

/** The fields of one model; `qualifier` is what its table is called in the statement; DDL calls it nothing. */
export function fieldsOf(model: Model, dialect: Dialect, qualifier?: string): Fields {
  return ({ column, path }) => term(model, column, path, dialect, qualifier, false)
}

/** What the table of a source is called in a select. */
export function aliasOf(source: number): string {
  return `t${source}`
}

/** The fields of the sources of a select. A column of a left join may be null whatever its model says. */
export function joinedFields({ model, joins }: Select, models: Models, dialect: Dialect): Fields {
  const sources = [{ model, kind: 'inner' }, ...joins].map(({ model: of, kind }) => ({
    model: modelOf(models, of),
    optional: kind === 'left',
  }))
  return ({ source, column, path }) => {
    const at = source as number
    const { model: of, optional } = sources[at] as (typeof sources)[number]
    return term(of, column, path, dialect, aliasOf(at), optional)
  }
}

function term(
  model: Model,
  column: string,
  path: readonly string[],
  dialect: Dialect,
  qualifier: string | undefined,
  optional: boolean,
): Term {
  const known = columnOf(model, column)
  const reference = qualifier === undefined ? sql.id(known.column) : sql.id(qualifier, known.column)
  if (path.length > 0) return { kind: 'path', path: dialect.path(reference, path) }
  return { kind: 'value', sql: reference, type: known, nullable: known.nullable || optional }
}

/** The value of a field that is a column: a statement puts no path there. */
export function plainOf(term: Term): Sql {
  return term.kind === 'value' ? term.sql : term.path.whole
}
