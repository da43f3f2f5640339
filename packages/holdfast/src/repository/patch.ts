import type { Row } from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import {
  acceptJson,
  DOCUMENT_COLUMN,
  DOCUMENT_FIELDS,
  describe,
  isStorableText,
  type Model,
  type ModelColumn,
  UNSTORABLE_TEXT,
  unreadable,
} from '../schema/index.ts'
import { type Assignment, add, type Field, isPlainObject, type Shape, set } from '../statement/index.ts'
import { Increment } from './expressions.ts'
import { acceptValue, UNKNOWN_FIELD } from './row-acceptor.ts'

const INCREMENTABLE = new Set(['integer', 'real', 'bigint', 'decimal'])

/**
 * Reads a patch into assignments, adding its values to the shape's parameters. `undefined` leaves a field alone. The version
 * counts up and `updatedAt` moves by themselves.
 */
export function readPatch(model: Model, patch: unknown, clock: Clock, shape: Shape, path = ''): Assignment[] {
  try {
    return readChanges(model, patch, clock, shape, path)
  } catch (error) {
    throw unreadable(error, `A patch of ${model.name} was refused`, { [path]: patch })
  }
}

function readChanges(model: Model, patch: unknown, clock: Clock, shape: Shape, path: string): Assignment[] {
  if (!isPlainObject(patch)) {
    shape.refuse(path, `must be an object of changes, got ${describe(patch)}`)
    return []
  }
  const read = model.kind === 'documents' ? readMember : readColumn
  const assignments: Assignment[] = []
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === undefined) continue
    const assignment = read(model, name, value, shape, path === '' ? name : `${path}.${name}`)
    if (assignment !== undefined) assignments.push(assignment)
  }
  assignments.push(...readBookkeeping(model, clock, shape))
  return assignments
}

/** What a write changes besides what was asked for. */
export function readBookkeeping(model: Model, clock: Clock, shape: Shape): Assignment[] {
  if (!model.versioned) return []
  const counted = add('version', shape.add(1))
  if (model.kind === 'table') return [counted]
  return [counted, set('updatedAt', shape.add(new Date(clock.now())))]
}

function readColumn(model: Model, name: string, value: unknown, shape: Shape, path: string): Assignment | undefined {
  const column = model.byName.get(name)
  if (column === undefined || (model.versioned && name === 'version')) {
    shape.refuse(
      path,
      column === undefined ? `${UNKNOWN_FIELD} ${model.name}` : 'is kept by Holdfast and cannot be set',
    )
    return undefined
  }
  shape.name(name)
  if (value instanceof Increment) return readIncrement(column, value, shape, path)
  return set(name, shape.add(acceptValue(model, column, value, path, shape.issues)))
}

function readIncrement(
  column: ModelColumn,
  { by }: Increment<number | bigint | string>,
  shape: Shape,
  path: string,
): Assignment | undefined {
  if (!INCREMENTABLE.has(column.type)) {
    shape.refuse(path, `is ${column.type} and cannot be incremented`)
    return undefined
  }
  shape.mark('+')
  return add(column.name, shape.add(column.accept(by, path, shape.issues)))
}

function readMember(_model: Model, name: string, value: unknown, shape: Shape, path: string): Assignment | undefined {
  const wrong = wrongMember(name, value)
  if (wrong !== undefined) {
    shape.refuse(path, wrong)
    return undefined
  }
  shape.name(name)
  const member: Field = { source: 0, column: DOCUMENT_COLUMN, path: [name] }
  if (value instanceof Increment) {
    shape.mark('+')
    return add(member, shape.add(value.by))
  }
  return set(member, shape.add(acceptJson(value, path, shape.issues)))
}

/** Why a document has no field of this name that could be set, or incremented. */
function wrongMember(name: string, value: unknown): string | undefined {
  if (DOCUMENT_FIELDS.includes(name)) return 'is kept by Holdfast and cannot be set'
  if (name === '__proto__') return 'is not allowed as a name'
  if (name.includes('.')) return 'is a path; patch the whole top-level field'
  if (!isStorableText(name)) return UNSTORABLE_TEXT
  if (!(value instanceof Increment) || Number.isFinite(value.by)) return undefined
  return `must be incremented by a finite number, got ${describe(value.by)}`
}

/**
 * Checks a patch of documents that a schema must check as a whole, as far as that can be done without them. Their schema says which values
 * it takes.
 *
 * @throws ValidationError
 */
export function acceptPatch(model: Model, patch: unknown, path = ''): Row {
  const subject = `A patch of ${model.name} was refused`
  const issues: Issue[] = []
  try {
    if (isPlainObject(patch)) {
      for (const [name, value] of Object.entries(patch)) {
        const reason = value === undefined ? undefined : wrongMember(name, value)
        if (reason !== undefined) issues.push({ path: path === '' ? name : `${path}.${name}`, reason })
      }
      if (issues.length === 0) return patch
    } else issues.push({ path, reason: `must be an object of changes, got ${describe(patch)}` })
  } catch (error) {
    throw unreadable(error, subject, { [path]: patch })
  }
  throw new ValidationError(subject, issues)
}

/** Applies a patch to a document's fields in memory. As everywhere, an increment leaves alone what is not a number, and what is missing is 0. */
export function applyPatch(content: Row, patch: Row): Row {
  const changed = { ...content }
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (!(value instanceof Increment)) {
      changed[name] = value
      continue
    }
    const before = Object.hasOwn(changed, name) ? changed[name] : 0
    if (typeof before === 'number') changed[name] = before + value.by
  }
  return changed
}
