import { type ReadRow, rowReaderOf } from '../../backend/index.ts'
import { readPath } from '../../schema/index.ts'
import type { Definition, Place } from './definition.ts'
import { type Decode, decoderOf } from './values.ts'

/** Makes what turns a stored row into one that is handed out, from the place of each of its members. */
export function rowMaker(outputs: ReadonlyMap<string, Place>): ReadRow {
  return rowReaderOf([...outputs].map(([name, place]) => ({ name, at: place.slot, decode: decoderAt(place) })))
}

function decoderAt({ path, type }: Place): Decode | undefined {
  const decode = decoderOf(type)
  if (path.length === 0) return decode
  return decode === undefined ? (value) => readPath(value, path) : (value) => decode(readPath(value, path))
}

/** Makes what gives back some columns of a table. */
export function columnsMaker(definition: Definition, columns: readonly string[]): ReadRow {
  return rowMaker(new Map(columns.map((name) => [name, definition.placeOf({ column: name, path: [] })])))
}
