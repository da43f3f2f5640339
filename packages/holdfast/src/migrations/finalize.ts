import type { SchemaChange } from '../backend/index.ts'
import { contentOf } from '../backend/index.ts'
import { modelsOf, structureOf } from './changes.ts'
import { isParked } from './parking.ts'
import type { SchemaState } from './schema-state.ts'

/** What drops the parked tables and columns of a state for good. */
export function finalizingChanges(parked: SchemaState, final: SchemaState): SchemaChange[] {
  const after = modelsOf(final)
  return [...modelsOf(parked).values()].flatMap((from): SchemaChange[] => {
    if (isParked(from.name)) return [{ kind: 'dropTable', table: from.table }]
    const to = after.get(from.name)
    if (to === undefined || contentOf(structureOf(from)) === contentOf(structureOf(to))) return []
    return [{ kind: 'alterTable', from, to }]
  })
}
