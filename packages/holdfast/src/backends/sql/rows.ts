import type { Row } from '../../backend/index.ts'
import type { OutputColumn } from './outputs.ts'

/** Makes a row of the values of its columns, as the driver read them. */
export type ReadRow = (values: readonly unknown[]) => Row

/**
 * Makes the reader of a statement's rows. It is generated, because an object literal makes all rows of a plan of one hidden
 * class at once: measured on rows of seven columns, 0.02 µs a row against 0.09 µs for assigning members in a loop.
 */
export function rowReader(outputs: readonly OutputColumn[]): ReadRow {
  const members = outputs.map(({ name, decode }, at) => {
    const value = decode === undefined ? `values[${at}]` : `decode[${at}](values[${at}])`
    // A member called __proto__ would be a prototype; computed, it is a member.
    return `[${JSON.stringify(name)}]: ${value}`.replace(/^\["(?!__proto__)([^"\\]*)"\]/, '"$1"')
  })
  const make = new Function('decode', `return (values) => ({ ${members.join(', ')} })`)
  return make(outputs.map(({ decode }) => decode)) as ReadRow
}
