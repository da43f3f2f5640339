import type { Row } from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import {
  acceptJson,
  DOCUMENT_COLUMN,
  DOCUMENT_FIELDS,
  describe,
  type Model,
  type ModelColumn,
  validateStandard,
} from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'

/** Why a name was refused, as every backend words it. */
export const UNKNOWN_FIELD = 'is no field of'

/**
 * Checks what `create` was given and lays it out as the values of the model's columns, in their order; defaults are filled in.
 * A generated key that was left out is `undefined`.
 *
 * @throws ValidationError naming every field that is wrong.
 */
export function acceptRecord(model: Model, input: unknown, clock: Clock): unknown[] {
  const issues: Issue[] = []
  const values = acceptRecordAt(model, input, clock, '', issues)
  if (issues.length > 0) throw new ValidationError(`A record of ${model.name} was refused`, issues)
  return values
}

/** Like `acceptRecord`, adding to `issues`, for one of many. */
export function acceptRecordAt(model: Model, input: unknown, clock: Clock, path: string, issues: Issue[]): unknown[] {
  if (!isPlainObject(input)) {
    issues.push({ path, reason: `must be an object, got ${describe(input)}` })
    return []
  }
  return model.kind === 'documents'
    ? acceptDocument(model, input, clock, path, issues)
    : acceptTableRow(model, input, clock, path, issues)
}

function acceptTableRow(model: Model, input: Row, clock: Clock, path: string, issues: Issue[]): unknown[] {
  const { columns } = model
  const values = new Array<unknown>(columns.length)
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as ModelColumn
    values[index] = acceptInsertValue(model, column, input[column.name], clock, path, issues)
  }
  for (const name in input)
    if (!model.byName.has(name)) issues.push({ path: at(path, name), reason: `${UNKNOWN_FIELD} ${model.name}` })
  return values
}

function acceptInsertValue(
  model: Model,
  column: ModelColumn,
  given: unknown,
  clock: Clock,
  path: string,
  issues: Issue[],
): unknown {
  const value = given === undefined ? defaultOf(column, clock) : given
  if (value === undefined) {
    if (column.generated) return undefined
    if (column.nullable) return null
    issues.push({ path: at(path, column.name), reason: 'is required' })
    return null
  }
  return acceptValue(model, column, value, at(path, column.name), issues)
}

/** Checks a value for a column, null included. */
export function acceptValue(model: Model, column: ModelColumn, value: unknown, path: string, issues: Issue[]): unknown {
  if (value !== null) return column.accept(value, path, issues)
  if (!column.nullable)
    issues.push({ path, reason: `may not be null; declare ${model.name}.${column.name} .nullable() to allow it` })
  return null
}

function defaultOf(column: ModelColumn, clock: Clock): unknown {
  switch (column.default?.kind) {
    case undefined:
      return undefined
    case 'value':
      return column.default.value
    case 'function':
      return column.default.make()
    case 'now':
      return new Date(clock.now())
    case 'id':
      return newId()
  }
}

/** The columns are `id, data, version, createdAt, updatedAt`, as `schema/resolve.ts` lays them out. */
function acceptDocument(model: Model, input: Row, clock: Clock, path: string, issues: Issue[]): unknown[] {
  const { id = newId(), ...content } = input
  for (const name of DOCUMENT_FIELDS) {
    if (name !== 'id' && name in content)
      issues.push({ path: at(path, name), reason: 'is kept by Holdfast and cannot be given' })
  }
  const key = (model.columns[0] as ModelColumn).accept(id, at(path, 'id'), issues)
  const now = clock.now()
  return [key, acceptContent(model, content, path, issues), 1, new Date(now), new Date(now)]
}

/** Checks a document's own fields, by its schema where it has one. */
export function acceptContent(model: Model, content: Row, path: string, issues: Issue[]): unknown {
  const before = issues.length
  const output = model.schema === undefined ? content : validateStandard(model.schema, content, path, issues)
  if (issues.length > before) return {}
  if (!isPlainObject(output)) {
    issues.push({ path, reason: `must be an object after validation, got ${describe(output)}` })
    return {}
  }
  for (const name of DOCUMENT_FIELDS) {
    if (name in output)
      issues.push({ path: at(path, name), reason: 'is kept by Holdfast and cannot be a field of a document' })
  }
  return acceptJson(output, path, issues)
}

/** The record as a user sees it, from the values of its columns. */
export function recordOf(model: Model, values: readonly unknown[]): Row {
  const row: Row = {}
  for (let index = 0; index < model.columns.length; index++) {
    row[(model.columns[index] as ModelColumn).name] = values[index]
  }
  return fromRow(model, row)
}

/** The record as a user sees it, from a row of the backend. */
export function fromRow(model: Model, row: Row): Row {
  if (model.kind === 'table') return row
  const { id, [DOCUMENT_COLUMN]: content, version, createdAt, updatedAt } = row
  return { id, ...(content as Row), version, createdAt, updatedAt }
}

/**
 * Checks a key: a value, or an object for a key of several columns.
 *
 * @returns the parameters, in the order of the key's columns.
 * @throws ValidationError
 */
export function acceptKey(model: Model, key: unknown): unknown[] {
  const issues: Issue[] = []
  const [only] = model.primaryKey
  const values =
    model.primaryKey.length === 1
      ? [(model.byName.get(only as string) as ModelColumn).accept(key, only as string, issues)]
      : acceptCompositeKey(model, key, issues)
  if (issues.length > 0) throw new ValidationError(`A key of ${model.name} was refused`, issues)
  return values
}

function acceptCompositeKey(model: Model, key: unknown, issues: Issue[]): unknown[] {
  if (!isPlainObject(key)) {
    issues.push({ path: '', reason: `must be an object with ${model.primaryKey.join(' and ')}, got ${describe(key)}` })
    return []
  }
  for (const name of Object.keys(key)) {
    if (!model.primaryKey.includes(name)) issues.push({ path: name, reason: `is not part of the key of ${model.name}` })
  }
  return model.primaryKey.map((name) => (model.byName.get(name) as ModelColumn).accept(key[name], name, issues))
}

/** The key of a record, in the form `findById` takes. */
export function keyOf(model: Model, record: Row): unknown {
  const [only] = model.primaryKey
  if (model.primaryKey.length === 1) return record[only as string]
  return Object.fromEntries(model.primaryKey.map((name) => [name, record[name]]))
}

function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
