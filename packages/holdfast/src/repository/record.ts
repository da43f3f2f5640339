import type { Row } from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { ConfigurationError, type Issue, isHoldfastError, ValidationError } from '../base/errors.ts'
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

/** Why a name was refused, as every backend words it. */
export const UNKNOWN_FIELD = 'is no field of'

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
    : acceptTableRow(model, input, clock, issues, values)
}

/** Runs for every row of a bulk insert: it copies the input once and changes only what is stored in another form. */
function acceptTableRow(model: Model, input: Row, clock: Clock, issues: Issue[], values: unknown[]): Row {
  // What the input is asked for twice may answer twice, so all that follows looks at the copy.
  const record = { ...input }
  let names = 0
  for (const _ in record) names++
  if (model.versioned && record['version'] !== undefined) issues.push({ path: 'version', reason: KEPT })
  let known = 0
  for (const column of model.columns) {
    const given = record[column.name]
    if (given !== undefined || column.name in record) known++
    const value = given === undefined ? defaultOf(column, clock) : given
    if (value === undefined && column.generated) continue
    const accepted =
      value === undefined ? missing(column, issues) : acceptValue(model, column, value, column.name, issues)
    if (!Object.is(accepted, given)) record[column.name] = accepted
    values.push(accepted)
  }
  if (names > known) refuseUnknown(model, record, issues)
  return record
}

const KEPT = 'is kept by Holdfast and cannot be given'

function missing(column: ModelColumn, issues: Issue[]): null {
  if (!column.nullable) issues.push({ path: column.name, reason: 'is required' })
  return null
}

function refuseUnknown(model: Model, input: Row, issues: Issue[]): void {
  for (const name in input)
    if (!model.byName.has(name)) issues.push({ path: name, reason: `${UNKNOWN_FIELD} ${model.name}` })
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
      return madeDefault(column, column.default.make)
    case 'now':
      return new Date(clock.now())
    case 'id':
      return newId()
  }
}

/** @throws ConfigurationError where the function of a default throws. */
function madeDefault({ name }: ModelColumn, make: () => unknown): unknown {
  try {
    return make()
  } catch (cause) {
    if (isHoldfastError(cause)) throw cause
    throw new ConfigurationError(`The function that makes the default of ${name} threw.`, {
      hint: 'Correct the function in the schema, or give a value; see the cause for what it threw.',
      cause,
    })
  }
}

/** The columns are `id, data, version, createdAt, updatedAt`, as `schema/resolve.ts` lays them out. */
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
