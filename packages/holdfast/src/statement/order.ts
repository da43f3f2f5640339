import { describe, type Model } from '../schema/index.ts'
import { field } from './builders.ts'
import type { Direction, Field } from './condition.ts'
import type { Scope } from './scope.ts'
import type { Shape } from './shape.ts'
import type { Order } from './statement.ts'
import { isPlainObject } from './where.ts'

/**
 * Reads a user's ordering, `{ name: 'asc' }` or a list of such, and ends it with the fields of the primary key that it does
 * not name, so that no two rows tie.
 */
export function readOrderBy(
  orderBy: unknown,
  scope: Scope,
  shape: Shape,
  tieBreakers: readonly Field[],
  path = 'orderBy',
): Order[] {
  const orders: Order[] = []
  shape.mark('order')
  for (const step of orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy]) {
    if (!isPlainObject(step)) {
      shape.refuse(path, `must be an object such as { name: 'asc' }, got ${describe(step)}`)
      continue
    }
    for (const name of Object.keys(step)) readStep(name, step[name], scope, shape, `${path}.${name}`, orders)
  }
  for (const field of tieBreakers) {
    if (!orders.some((order) => sameField(order.field, field))) orders.push({ field, direction: 'asc' })
  }
  return orders
}

function readStep(name: string, direction: unknown, scope: Scope, shape: Shape, path: string, into: Order[]): void {
  const known = scope.resolve(name)
  if (known === null) shape.refuse(path, `is not a field of ${scope.subject}`)
  else if (known.type === 'json') shape.refuse(path, 'is JSON; order by a path into it')
  else if (direction !== 'asc' && direction !== 'desc')
    shape.refuse(path, `must be 'asc' or 'desc', got ${describe(direction)}`)
  else {
    shape.name(name)
    shape.mark(direction)
    if (!into.some((order) => sameField(order.field, known.field)))
      into.push({ field: known.field, direction: direction as Direction })
  }
}

function sameField(left: Field, right: Field): boolean {
  return left.source === right.source && left.column === right.column && left.path.join('\0') === right.path.join('\0')
}

/** The fields of a model's primary key, as a statement names them. */
export function keyFields(model: Model, source = 0): Field[] {
  return model.primaryKey.map((column) => field(column, source))
}
