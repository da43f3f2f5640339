import type { Output, Select } from '../../statement/index.ts'
import { compileAggregate, resultType } from './aggregate.ts'
import type { Place } from './definition.ts'
import { identityOfAll } from './order.ts'
import { type Places, type Reader, readerOf } from './predicate.ts'
import type { Rows } from './rows.ts'
import { truncateTime } from './time.ts'
import { NUMBER, type StoredRow, type ValueType } from './values.ts'

/** Turns rows into one row a group, with a slot for each output. */
export type Grouping = (rows: Rows) => StoredRow[]

/** Makes the reader of an output that does not aggregate. */
export function outputReader(output: Exclude<Output, { readonly kind: 'aggregate' }>, places: Places): Reader {
  const read = readerOf(places(output.field))
  if (output.kind === 'field') return read
  return (row) => {
    const timeMs = read(row)
    return timeMs === null ? null : truncateTime(timeMs as number, output.unit)
  }
}

/** Where the outputs of a select stand when each has a slot of its own. */
export function outputPlaces(outputs: readonly Output[], places: Places): Map<string, Place> {
  return new Map(outputs.map((output, slot) => [output.name, { slot, path: [], type: typeOf(output, places) }]))
}

function typeOf(output: Output, places: Places): ValueType {
  const type = output.field === undefined ? NUMBER : places(output.field).type
  return output.kind === 'aggregate' ? resultType(output.function, type) : type
}

/** Makes the groups of a select ready. Without fields to group by, all rows are one group, even when there are none. */
export function compileGrouping({ outputs, groupBy = [] }: Select, places: Places): Grouping {
  const keys = outputs.filter((output) => output.kind !== 'aggregate').map((output) => outputReader(output, places))
  const aggregates = outputs
    .filter((output) => output.kind === 'aggregate')
    .map((output) => {
      if (output.field === undefined) return compileAggregate(output, undefined, NUMBER)
      const place = places(output.field)
      return compileAggregate(output, readerOf(place), place.type)
    })
  const begin = (values: readonly unknown[]) => ({ values, accumulators: aggregates.map((make) => make()) })

  return (rows) => {
    const groups = new Map<unknown, ReturnType<typeof begin>>()
    if (groupBy.length === 0) groups.set(undefined, begin([]))
    for (let row = rows.next(); row !== undefined; row = rows.next()) {
      const values = keys.map((read) => read(row as StoredRow))
      const identity = groupBy.length === 0 ? undefined : identityOfAll(values)
      let group = groups.get(identity)
      if (group === undefined) {
        group = begin(values)
        groups.set(identity, group)
      }
      for (const accumulator of group.accumulators) accumulator.add(row)
    }
    return [...groups.values()].map(({ values, accumulators }) => {
      const [nextValue, nextResult] = [values.values(), accumulators.values()]
      return outputs.map(({ kind }) =>
        kind === 'aggregate' ? nextResult.next().value?.result() : nextValue.next().value,
      )
    })
  }
}
