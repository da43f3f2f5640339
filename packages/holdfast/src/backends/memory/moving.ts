import type { Moved } from '../../statement/index.ts'
import type { Binder, Values } from './binder.ts'
import type { Catalog } from './catalog.ts'
import type { Definition } from './definition.ts'
import { validityOf } from './validity.ts'
import type { StoredRow } from './values.ts'

/** Where removed rows go, and what they become there. */
export interface Moving {
  readonly target: Definition
  /** @throws ConstraintError for a row that may not be stored there. */
  become(removed: StoredRow, values: Values): StoredRow
}

/** Makes it ready to put removed rows into another table. */
export function compileMoving({ model, columns }: Moved, source: Definition, catalog: Catalog, binder: Binder): Moving {
  const target = catalog.definitionOf(model)
  const empty: readonly unknown[] = Array.from({ length: target.width }, () => null)
  const steps = columns.map(({ column, value }) => {
    const isColumn = value.kind === 'column'
    const from = isColumn ? source.slotOf(value.column) : binder.operand(value, target.columnOf(column))
    return { slot: target.slotOf(column), isColumn, from }
  })
  const assertValid = validityOf(target)
  return {
    target,
    become(removed, values) {
      const row = empty.slice()
      for (const { slot, isColumn, from } of steps) row[slot] = isColumn ? removed[from] : values[from]
      target.complete(row)
      assertValid(row)
      return row
    },
  }
}
