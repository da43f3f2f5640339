import type { Model } from '../schema/index.ts'
import type { Shape } from '../statement/index.ts'

/** The names of the fields by which `upsert` finds a record: the primary key, or those of a unique index. */
export function readTarget(model: Model, on: unknown, shape: Shape): readonly string[] {
  const names =
    on === undefined ? model.primaryKey : typeof on === 'string' ? [on] : Array.isArray(on) ? (on as string[]) : []
  const found = [model.primaryKey, ...uniqueFields(model)].find(
    (fields) => fields.length === names.length && fields.every((field) => names.includes(field)),
  )
  if (found === undefined)
    shape.refuse('on', `must name the primary key or the fields of a unique index of ${model.name}`)
  return found ?? []
}

/** The fields of each unique index, as they are written. Tables are changed in one statement, which knows no paths. */
function uniqueFields(model: Model): readonly (readonly string[])[] {
  return model.indexes
    .filter(
      ({ unique, fields }) => unique && (model.kind === 'documents' || fields.every(({ path }) => path.length === 0)),
    )
    .map(({ fields }) => fields.map(({ column, path }) => (path.length === 0 ? column : path.join('.'))))
}
