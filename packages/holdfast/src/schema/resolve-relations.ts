import type { Issue } from '../base/errors.ts'
import { describe } from './accept.ts'
import { REFERENCE_ACTIONS } from './column.ts'
import type { Relations } from './declare.ts'
import { type Model, resolveField } from './model.ts'
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
    for (const field of fields) {
      if (resolveField(holder, field) === null) issues.push({ path, reason: `names no field ${holder.name}.${field}` })
    }
    if (fields.length !== owner.primaryKey.length) {
      issues.push({ path, reason: `must name ${owner.primaryKey.length} field(s), the key of ${owner.name}` })
    }
    if (model.byName.has(name)) issues.push({ path, reason: 'has the name of a column' })
    const [local, foreign] = kind === 'one' ? [fields, owner.primaryKey] : [owner.primaryKey, fields]
    model.relations.set(name, { kind, model: target, local, foreign })
  }
}
