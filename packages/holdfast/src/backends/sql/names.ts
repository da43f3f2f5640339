import type { FieldPath, Model, ModelColumn } from '../../schema/index.ts'
import { constraintName } from '../../schema/names.ts'

/** What the primary key of a model is called. */
export function primaryKeyName({ table }: Model): string {
  return constraintName(table, [], 'pkey')
}

/** What the check of a column's range is called: `user__session_id_range`, where `user_session` may have an `id`. */
export function rangeName({ column }: ModelColumn, { table }: Model): string {
  return constraintName(table, ['', column], 'range')
}

/** How a field is written in TypeScript: `name`, `'owner.team'`. */
export function fieldName(model: Model, { column, path }: FieldPath): string {
  return (model.kind === 'documents' && path.length > 0 ? path : [column, ...path]).join('.')
}
