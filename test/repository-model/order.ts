import type { Fields } from './schema.ts'
import { compareValues, valueAt } from './values.ts'

/** Compares records by an order; ties are broken by the key. */
export function comparing(orderBy: readonly Fields[], key: readonly string[]): (left: Fields, right: Fields) => number {
  const order = [...orderBy.flatMap((one) => Object.entries(one)), ...key.map((name) => [name, 'asc'] as const)]
  return (left, right) => {
    for (const [field, direction] of order) {
      const compared = compareValues(valueAt(left, field), valueAt(right, field), field)
      if (compared !== 0) return direction === 'desc' ? -compared : compared
    }
    return 0
  }
}
