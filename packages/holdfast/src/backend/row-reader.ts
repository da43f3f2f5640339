import type { Row } from './port.ts'

/** Makes a row of a list of values, as a driver read or a table stores them. */
export type ReadRow = (values: readonly unknown[]) => Row

/** A member of a row: the value at a place of the list, decoded where that is not the port's form of it already. */
export interface RowMember {
  readonly name: string
  readonly at: number
  readonly decode?: ((value: unknown) => unknown) | undefined
}

/**
 * Makes the reader of a plan's rows. It is generated, because an object literal makes all rows of a plan of one hidden
 * class at once: measured on rows of seven columns, 0.02 µs a row against 0.09 µs for assigning members in a loop.
 */
export function rowReaderOf(members: readonly RowMember[]): ReadRow {
  const code = members.map(({ name, at, decode }, index) => {
    const value = decode === undefined ? `values[${at}]` : `decode[${index}](values[${at}])`
    // A member called __proto__ would be a prototype; computed, it is a member.
    return `[${JSON.stringify(name)}]: ${value}`.replace(/^\["(?!__proto__)([^"\\]*)"\]/, '"$1"')
  })
  const make = new Function('decode', `return (values) => ({ ${code.join(', ')} })`)
  return make(members.map(({ decode }) => decode)) as ReadRow
}
