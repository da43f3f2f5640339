import type { Field, Order } from '../../statement/index.ts'
import { compareStored } from './order.ts'
import { type Reader, signOf } from './predicate.ts'
import { ListedRows, type Rows } from './rows.ts'
import type { StoredRow } from './values.ts'

/** How two rows order. */
export type RowOrder = (left: StoredRow, right: StoredRow) => number

/** Makes an ordering ready. */
export function compileOrder(orderBy: readonly Order[], readerOfField: (field: Field) => Reader): RowOrder {
  const steps = orderBy.map(({ field, direction }) => ({ read: readerOfField(field), sign: signOf(direction) }))
  return (left, right) => {
    for (const { read, sign } of steps) {
      const difference = compareStored(read(left), read(right))
      if (difference !== 0) return difference * sign
    }
    return 0
  }
}

/** How many rows more than needed are gathered before they are sorted and cut. */
const SLACK = 1000

/** The first rows in an order, keeping no more than a few times as many as are wanted. */
export function sortedRows(rows: Rows, order: RowOrder, wanted: number): Rows {
  const kept: StoredRow[] = []
  for (let row = rows.next(); row !== undefined; row = rows.next()) {
    kept.push(row)
    if (kept.length >= 2 * wanted + SLACK) {
      kept.sort(order)
      kept.length = wanted
    }
  }
  return new ListedRows(kept.sort(order).slice(0, wanted))
}
