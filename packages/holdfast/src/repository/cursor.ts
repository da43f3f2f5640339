import { ConfigurationError, ValidationError } from '../base/errors.ts'
import type { Model, ModelColumn } from '../schema/index.ts'
import type { AfterKey, JsonScalar, Order, Shape } from '../statement/index.ts'

/**
 * A cursor is the ordering and the last row's values in it, as base64url of JSON. It is opaque to users, and what comes
 * back is checked like any other input.
 */
interface Cursor {
  /** The ordering it belongs to. */
  readonly o: string
  /** The values, as JSON can hold them. */
  readonly v: readonly unknown[]
}

/** Makes the cursor that continues after a row, from its values in the ordering. */
export function encodeCursor(orderBy: readonly Order[], values: readonly unknown[]): string {
  const cursor: Cursor = { o: describeOrder(orderBy), v: values.map(toJson) }
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/**
 * Reads a cursor into the condition's keys, adding its values to the parameters.
 *
 * @throws ValidationError when it is not a cursor, or belongs to another ordering.
 */
export function decodeCursor(after: unknown, model: Model, orderBy: readonly Order[], shape: Shape): AfterKey[] {
  const cursor = parse(after, model)
  if (cursor.o !== describeOrder(orderBy) || cursor.v.length !== orderBy.length) {
    throw refused(model, 'belongs to another ordering; start again without it')
  }
  return orderBy.map((order, index) => afterKey(order, cursor.v[index], model, shape))
}

function afterKey({ field, direction }: Order, value: unknown, model: Model, shape: Shape): AfterKey {
  if (value === null) {
    shape.mark('null')
    return { field, direction, parameter: null }
  }
  if (field.path.length > 0) {
    const json = jsonType(value)
    shape.mark(json)
    return { field, direction, json, parameter: json === 'other' ? null : shape.add(value) }
  }
  const column = model.byName.get(field.column) as ModelColumn
  shape.mark('value')
  return { field, direction, parameter: shape.add(column.accept(fromJson(value, column), 'after', shape.issues)) }
}

function parse(after: unknown, model: Model): Cursor {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(String(after), 'base64url').toString())
    if (isCursor(cursor)) return cursor
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw refused(model, 'is not a cursor that page() gave')
}

function isCursor(value: unknown): value is Cursor {
  const cursor = value as Partial<Cursor> | null
  return typeof cursor === 'object' && cursor !== null && typeof cursor.o === 'string' && Array.isArray(cursor.v)
}

function refused(model: Model, reason: string): ValidationError {
  return new ValidationError(`A page of ${model.name} was refused`, [{ path: 'after', reason }])
}

function describeOrder(orderBy: readonly Order[]): string {
  return orderBy.map(({ field, direction }) => [field.column, ...field.path, direction].join('.')).join(' ')
}

function jsonType(value: unknown): JsonScalar | 'other' {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'number'
  return typeof value === 'boolean' ? 'boolean' : 'other'
}

function toJson(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'object' && value !== null ? {} : (value ?? null)
}

function fromJson(value: unknown, column: ModelColumn): unknown {
  switch (column.type) {
    case 'timestamp':
      return typeof value === 'number' ? new Date(value) : value
    case 'bigint':
      return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : value
    case 'bytes':
      return typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value
    case 'json':
      throw new ConfigurationError('A JSON column has no order.', { hint: 'Order by a path into it.' })
    default:
      return value
  }
}
