import { contentOf } from '../backend/index.ts'
import { modelsOf, structureOf } from './changes.ts'
import { withoutParked } from './parking.ts'
import type { SchemaState } from './schema-state.ts'

/** A text that is the same exactly where the schema is; the order of tables and columns does not matter, nor what is parked. */
export function stateContent(state: SchemaState): string {
  const tables = [...modelsOf(withoutParked(state)).values()].map((model) => {
    return contentOf(
      structureOf({
        ...model,
        columns: sorted(model.columns),
        indexes: sorted(model.indexes),
        foreignKeys: sorted(model.foreignKeys),
        checks: sorted(model.checks),
      }),
    )
  })
  return contentOf([tables.sort(), [...state.views].sort()])
}

function sorted<Thing extends { readonly name: string }>(things: readonly Thing[]): Thing[] {
  return things.toSorted((left, right) => (left.name < right.name ? -1 : 1))
}
