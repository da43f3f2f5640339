import type { Models } from '../schema/index.ts'
import type { Statement } from '../statement/index.ts'

const known = new WeakMap<Statement, ReadonlySet<string>>()

/**
 * The names of the models whose rows a statement may change: its own, and those that foreign keys reach, whose rows go along, follow
 * a changed key, or are set to null. Found once for a statement.
 */
export function writtenModels(statement: Statement, models: Models): ReadonlySet<string> {
  const found = known.get(statement)
  if (found !== undefined) return found
  const written = new Set<string>()
  if (statement.kind === 'delete') {
    addDeleted(statement.model, models, written, new Set())
    if (statement.into !== undefined) written.add(statement.into.model)
  } else if (statement.kind !== 'select') {
    const set = statement.kind === 'update' ? statement.set : (statement.onConflict?.set ?? [])
    const columns = set.map(({ field }) => field.column)
    addUpdated(statement.model, columns, models, written, new Set())
  }
  known.set(statement, written)
  return written
}

function addDeleted(name: string, models: Models, written: Set<string>, seen: Set<string>): void {
  written.add(name)
  if (seen.has(name)) return
  seen.add(name)
  for (const child of models.values()) {
    for (const { model, column, onDelete } of child.foreignKeys) {
      if (model !== name) continue
      if (onDelete === 'cascade') addDeleted(child.name, models, written, seen)
      if (onDelete === 'setNull') addUpdated(child.name, [column], models, written, new Set())
    }
  }
}

function addUpdated(
  name: string,
  columns: readonly string[],
  models: Models,
  written: Set<string>,
  seen: Set<string>,
): void {
  written.add(name)
  if (seen.has(name) || !models.get(name)?.primaryKey.some((column) => columns.includes(column))) return
  seen.add(name)
  for (const child of models.values()) {
    for (const { model, column, onUpdate } of child.foreignKeys) {
      if (model === name && onUpdate !== 'restrict') addUpdated(child.name, [column], models, written, seen)
    }
  }
}
