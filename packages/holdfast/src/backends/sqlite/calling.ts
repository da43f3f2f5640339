import type { Binding } from '../sql/index.ts'
import type { PreparedStatement } from './driver.ts'

/** Calls a prepared statement with the parameters of a call, encoded. */
export type Caller = (statement: PreparedStatement, parameters: readonly unknown[]) => unknown

/** The same for some of the rows of an insert: `at` is where the first of them begins among the parameters. */
export type RowsCaller = (statement: PreparedStatement, parameters: readonly unknown[], at: number) => unknown

type Method = 'get' | 'all' | 'run' | 'iterate'

/**
 * Makes the caller of a statement. It is generated: with the arguments written out nothing is allocated, and a driver takes
 * them 0.2 µs faster than as a list, which is a fifth of a read by key.
 */
export function callerOf(method: Method, bindings: readonly Binding[]): Caller {
  const values = bindings.map(({ parameter }, index) =>
    encoded(`parameters[${parameter}]`, bindings[index] as Binding, index),
  )
  return generate(`(statement, parameters) => statement.${method}(${values.join(', ')})`, bindings) as Caller
}

/** Makes the caller of an insert whose statement was made for rows that begin after `leading` parameters. */
export function rowsCallerOf(method: Method, bindings: readonly Binding[], leading: number): RowsCaller {
  const values = bindings.map((binding, index) => {
    const { parameter } = binding
    const place = parameter < leading ? String(parameter) : `at + ${parameter - leading}`
    return encoded(`parameters[${place}]`, binding, index)
  })
  return generate(`(statement, parameters, at) => statement.${method}(${values.join(', ')})`, bindings) as RowsCaller
}

function encoded(value: string, { encode }: Binding, index: number): string {
  return encode === undefined ? value : `encode[${index}](${value})`
}

function generate(code: string, bindings: readonly Binding[]): unknown {
  return new Function('encode', `return ${code}`)(bindings.map(({ encode }) => encode))
}
