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
  unreadable,
  validateStandard,
} from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'
import { KEPT, rowAcceptor } from './row-acceptor.ts'

/** What `create` was given, checked: the record as the user will see it, and the values to insert. */
export interface Accepted {
  readonly record: Row
  /** The values of the model's columns in their order, without a generated key that was left out. */
  readonly values: unknown[]
}

/**
 * Checks what `create` was given and fills in defaults.
 *
 * @throws ValidationError naming every field that is wrong.
 */
export function acceptRecord(model: Model, input: unknown, clock: Clock): Accepted {
  const issues: Issue[] = []
  const values: unknown[] = []
  try {
    const record = acceptInto(model, input, clock, issues, values)
    if (issues.length === 0) return { record, values }
  } catch (error) {
    throw unreadable(error, `A record of ${model.name} was refused`, { '': input })
  }
  throw new ValidationError(`A record of ${model.name} was refused`, issues)
}

/** Like `acceptRecord` for one of many: adds the values to `values`, what is wrong to `issues`, and gives the record. */
export function acceptInto(model: Model, input: unknown, clock: Clock, issues: Issue[], values: unknown[]): Row {
  if (!isPlainObject(input)) {
    issues.push({ path: '', reason: `must be an object, got ${describe(input)}` })
    return {}
  }
  return model.kind === 'documents'
    ? acceptDocument(model, input, clock, issues, values)
    : rowAcceptor(model)(input, clock, issues, values)
}

/** The columns are `id, data, version, createdAt, updatedAt`, as `schema/resolve-model.ts` lays them out. */
function acceptDocument(model: Model, input: Row, clock: Clock, issues: Issue[], values: unknown[]): Row {
  const before = issues.length
  const { id = newId(), ...content } = input
  for (const name of DOCUMENT_FIELDS) if (name !== 'id' && name in content) issues.push({ path: name, reason: KEPT })
  const key = (model.columns[0] as ModelColumn).accept(id, 'id', issues)
  const accepted = issues.length > before ? {} : (acceptContent(model, content, '', issues) as Row)
  const now = clock.now()
  const createdAt = new Date(now)
  const updatedAt = new Date(now)
  values.push(key, accepted, 1, createdAt, updatedAt)
  return { id: key, ...accepted, version: 1, createdAt, updatedAt }
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
  try {
    const values =
      model.primaryKey.length === 1
        ? [(model.byName.get(only as string) as ModelColumn).accept(key, only as string, issues)]
        : acceptCompositeKey(model, key, issues)
    if (issues.length === 0) return values
  } catch (error) {
    const path = model.primaryKey.length === 1 ? (only as string) : ''
    throw unreadable(error, `A key of ${model.name} was refused`, { [path]: key })
  }
  throw new ValidationError(`A key of ${model.name} was refused`, issues)
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

function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
