import type { Issue } from '../base/errors.ts'
import { type ColumnType, REFERENCE_ACTIONS } from './column.ts'
import type { Relations } from './declare.ts'
import { describe } from './describe.ts'
import { type Model, type ModelColumn, resolveField } from './model.ts'
import { checkOptions, optionRules } from './options.ts'
import type { Draft } from './resolve-model.ts'

const REFERENCE_OPTIONS = {
  onDelete: optionRules.oneOf(REFERENCE_ACTIONS),
  onUpdate: optionRules.oneOf(REFERENCE_ACTIONS),
}

/** Adds an issue for every foreign key that does not fit what it refers to. */
export function checkReferences(model: Model, models: ReadonlyMap<string, Model>, issues: Issue[]): void {
  for (const { name: _, column, model: target, ...actions } of model.foreignKeys) {
    const path = `${model.name}.${column}`
    const { onDelete, onUpdate } = actions
    checkOptions(actions, REFERENCE_OPTIONS, issues, `${path}.`)
    const here = model.byName.get(column)
    const key = models.get(target)?.primaryKey ?? []
    const there = models.get(target)?.byName.get(key[0] ?? '')
    if (there === undefined)
      issues.push({ path, reason: `refers to ${target}, which is not a table or documents of the schema` })
    else if (key.length > 1) issues.push({ path, reason: `refers to ${target}, whose key has several columns` })
    else if (there.type !== here?.type) {
      issues.push({ path, reason: `is ${here?.type} but refers to a key that is ${there.type}` })
    }
    if ((onDelete === 'setNull' || onUpdate === 'setNull') && here?.nullable !== true) {
      issues.push({ path, reason: 'must be nullable to be set to null' })
    }
  }
}

/** Resolves the relations of a model, which `include` follows. */
export function addRelations(
  model: Draft,
  declared: NonNullable<Relations[string]>,
  models: ReadonlyMap<string, Model>,
  issues: Issue[],
): void {
  for (const [name, relation] of Object.entries(declared)) {
    const path = `relations.${model.name}.${name}`
    if (relation?.kind !== 'one' && relation?.kind !== 'many') {
      issues.push({ path, reason: `must be one(…) or many(…), got ${describe(relation)}` })
      continue
    }
    const { kind, model: target, fields } = relation
    if (!Array.isArray(fields) || fields.some((field) => typeof field !== 'string')) {
      issues.push({ path, reason: `must name a field or a list of them, got ${describe(fields)}` })
      continue
    }
    const other = models.get(target)
    if (other === undefined) {
      issues.push({ path, reason: `names ${target}, which is not a table or documents of the schema` })
      continue
    }
    const [holder, owner] = kind === 'one' ? [model, other] : [other, model]
    if (fields.length !== owner.primaryKey.length) {
      issues.push({ path, reason: `must name ${owner.primaryKey.length} field(s), the key of ${owner.name}` })
    }
    for (const [at, field] of fields.entries()) {
      const type = typeOf(holder, field)
      const key = owner.byName.get(owner.primaryKey[at] ?? '')
      if (type === null) issues.push({ path, reason: `names no field ${holder.name}.${field}` })
      else if (key !== undefined && !mayBeEqual(type, key.type)) {
        const [here, there] = [
          `${holder.name}.${field}, which is ${type === 'path' ? 'a path into JSON' : type}`,
          `${owner.name}.${key.name}`,
        ]
        issues.push({ path, reason: `joins ${here}, with ${there}, which is ${key.type}: they are never equal` })
      }
    }
    if (model.byName.has(name)) issues.push({ path, reason: 'has the name of a column' })
    const [local, foreign] = kind === 'one' ? [fields, owner.primaryKey] : [owner.primaryKey, fields]
    model.relations.set(name, { kind, model: target, local, foreign })
  }
}

/** How the values of columns come out of records; JSON as a whole is equal to nothing. */
const VALUES: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  enum: 'text',
  uuid: 'text',
  date: 'text',
  decimal: 'text',
  integer: 'number',
  real: 'number',
  bigint: 'bigint',
  boolean: 'boolean',
  timestamp: 'Date',
  bytes: 'bytes',
  json: 'JSON',
}

/** What a path into JSON may lead to. */
const AT_PATHS = new Set(['text', 'number', 'boolean'])

/** The type of a field, `path` for one that is a path into JSON; null where there is no such field. */
function typeOf(model: Model, field: string): ColumnType | 'path' | null {
  const known = resolveField(model, field)
  if (known === null) return null
  return known.path.length > 0 ? 'path' : (model.byName.get(known.column) as ModelColumn).type
}

/** Whether values of a field may equal those of a key. */
function mayBeEqual(type: ColumnType | 'path', key: ColumnType): boolean {
  return type === 'path' ? AT_PATHS.has(VALUES[key]) : VALUES[type] === VALUES[key]
}
