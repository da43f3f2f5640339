import type { Moved } from '../../statement/index.ts'
import type { Binder, Values } from './binder.ts'
import type { Catalog } from './catalog.ts'
import type { Definition } from './definition.ts'
import { layOutOf } from './lay-out.ts'
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
  const cells = new Map<number, string>()
  for (const { column, value } of columns) {
    const given =
      value.kind === 'column'
        ? `removed[${source.slotOf(value.column)}]`
        : `values[${binder.operand(value, target.columnOf(column))}]`
    cells.set(target.slotOf(column), given)
  }
  const layOut = layOutOf<(removed: StoredRow, values: Values) => unknown[]>(['removed', 'values'], target.width, cells)
  const assertValid = validityOf(target)
  return {
    target,
    become(removed, values) {
      const row = layOut(removed, values)
      target.complete(row)
      assertValid(row)
      return row
    },
  }
}
