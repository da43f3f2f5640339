import type { Acceptor } from '../schema/accept.ts'
import type { ColumnType, Model } from '../schema/index.ts'
import { isStorableText, resolveField } from '../schema/index.ts'
import type { Field } from './condition.ts'

/** What a name in a query means: where it stands and what it may be compared with. */
export interface ScopeField {
  readonly field: Field
  /** The column's type; `'path'` for a path into JSON, which takes texts, numbers and booleans. */
  readonly type: ColumnType | 'path'
  /** Checks a value to compare with; unused at a path. */
  readonly accept: Acceptor
}

/** The names that a query may use. */
export interface Scope {
  /** null where there is no such name. */
  resolve(name: string): ScopeField | null
  /** The key of the records; null where it is several fields. Left out where there are no records, and so no `reach` to ask for. */
  readonly key?: string | null
  /** What the names belong to, for errors: `users`, or `users joined with orders`. */
  readonly subject: string
}

/** Steps of a path, and its characters, past which a name cannot be meant. */
const MAX_PATH_LENGTH = 1000

const scopes = new WeakMap<Model, Scope>()

/** The names of one model. */
export function modelScope(model: Model): Scope {
  const known = scopes.get(model)
  if (known !== undefined) return known
  const columns = new Map<string, ScopeField>()
  for (const column of model.columns) {
    const resolved = resolveField(model, column.name)
    if (resolved !== null && resolved.path.length === 0)
      columns.set(column.name, scopeField(model, column.name, 0) as ScopeField)
  }
  const scope = {
    ...keyOf(model),
    subject: model.name,
    resolve: (name: string) => columns.get(name) ?? scopeField(model, name, 0),
  }
  scopes.set(model, scope)
  return scope
}

/**
 * The names of several models: the first one's as they are, those of joins behind the join's name, `orders.total`. A
 * column of the first model wins over a join of the same name.
 */
export function joinedScope(first: Model, joins: readonly { readonly name: string; readonly model: Model }[]): Scope {
  const base = modelScope(first)
  return {
    ...keyOf(first),
    subject: [first.name, ...joins.map(({ name }) => name)].join(' joined with '),
    resolve(name) {
      const point = name.indexOf('.')
      const source = point === -1 ? -1 : joins.findIndex((join) => join.name === name.slice(0, point))
      const join = joins[source]
      if (join === undefined || (first.kind === 'table' && first.byName.has(join.name))) return base.resolve(name)
      return scopeField(join.model, name.slice(point + 1), source + 1)
    },
  }
}

function keyOf({ primaryKey }: Model): Pick<Scope, 'key'> {
  return { key: primaryKey.length === 1 ? (primaryKey[0] as string) : null }
}

function scopeField(model: Model, name: string, source: number): ScopeField | null {
  if (name.length > MAX_PATH_LENGTH || !isStorableText(name)) return null
  const resolved = resolveField(model, name)
  const column = resolved === null ? undefined : model.byName.get(resolved.column)
  if (resolved === null || column === undefined || resolved.path.includes('__proto__')) return null
  const field: Field = { source, column: resolved.column, path: resolved.path }
  return { field, type: resolved.path.length > 0 ? 'path' : column.type, accept: column.accept }
}
