import type { Row } from '../../backend/index.ts'
import { readPath } from '../../schema/index.ts'
import type { Definition, Place } from './definition.ts'
import { decodeValue, isPlain, type StoredRow } from './values.ts'

/** Makes what turns a stored row into one that is handed out, from the place of each of its members. */
export function rowMaker(outputs: ReadonlyMap<string, Place>): (row: StoredRow) => Row {
  const members = [...outputs].map(([name, { slot, path, type }]) => ({
    name,
    slot,
    path,
    type,
    plain: isPlain(type),
  }))
  return (row) => {
    const made: Row = {}
    for (const { name, slot, path, type, plain } of members) {
      const value = row[slot]
      made[name] = plain ? value : decodeValue(type, path.length === 0 ? value : readPath(value, path))
    }
    return made
  }
}

/** Makes what gives back some columns of a table. */
export function columnsMaker(definition: Definition, columns: readonly string[]): (row: StoredRow) => Row {
  return rowMaker(new Map(columns.map((name) => [name, definition.placeOf({ column: name, path: [] })])))
}
