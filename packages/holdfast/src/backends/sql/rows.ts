import { type ReadRow, rowReaderOf } from '../../backend/index.ts'
import type { OutputColumn } from './outputs.ts'

/** Makes the reader of a statement's rows, whose values are in the order of its outputs. */
export function rowReader(outputs: readonly OutputColumn[]): ReadRow {
  return rowReaderOf(outputs.map(({ name, decode }, at) => ({ name, at, decode })))
}
