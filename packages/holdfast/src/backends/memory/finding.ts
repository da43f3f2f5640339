import { type Access, accessOf, type Condition, type Delete, type Select, type Update } from '../../statement/index.ts'
import type { Binder, Values } from './binder.ts'
import type { Catalog } from './catalog.ts'
import { allOf, compileCondition, type Places } from './predicate.ts'
import { FilteredRows, type Rows } from './rows.ts'
import type { View } from './view.ts'
import { compileWalk } from './walk.ts'

/** The rows of a statement's own model that meet its conditions. */
export interface Finding {
  readonly access: Access
  /** Reads them in the order of the access. */
  find(view: View, values: Values): Rows
  /** The conditions that need the rows of joins. */
  readonly later: readonly Condition[]
}

/** Makes it ready to find the rows of a statement's own model. */
export function compileFinding(
  statement: Select | Update | Delete,
  catalog: Catalog,
  places: Places,
  binder: Binder,
): Finding {
  const { table } = catalog.get(statement.model)
  const access = accessOf(statement, catalog)
  const walk = compileWalk(access, places, binder)
  const own = access.rest.filter((condition) => speaksOfOwn(condition))
  const passes =
    own.length === 0 ? undefined : allOf(own.map((condition) => compileCondition(condition, places, binder)))
  return {
    access,
    later: access.rest.filter((condition) => !own.includes(condition)),
    find(view, values) {
      const rows = walk(view.table(table), values)
      return passes === undefined ? rows : new FilteredRows(rows, passes, values)
    },
  }
}

function speaksOfOwn(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.conditions.every(speaksOfOwn)
    case 'not':
      return speaksOfOwn(condition.condition)
    case 'after':
      return condition.keys.every(({ field }) => field.source === 0)
    default:
      return condition.field.source === 0
  }
}
