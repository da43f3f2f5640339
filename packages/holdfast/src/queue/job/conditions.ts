import type { Assignment, Condition, Field, Order, Output } from '../../statement/index.ts'

/** A column of the statement's own table. */
export function field(column: string): Field {
  return { source: 0, column, path: [] }
}

/** The column equals a parameter. */
export function equals(column: string, parameter: number): Condition {
  return { kind: 'compare', field: field(column), operator: 'eq', operand: { kind: 'parameter', parameter } }
}

/** The column is one of the values of a parameter. */
export function oneOf(column: string, parameter: number): Condition {
  return { kind: 'in', field: field(column), parameter }
}

/** The time in the column has come; the parameter is the clock's offset. */
export function isDue(column: string, plusMs: number): Condition {
  return { kind: 'compare', field: field(column), operator: 'lte', operand: { kind: 'now', plusMs } }
}

/** All of these. */
export function all(...conditions: Condition[]): Condition {
  return { kind: 'and', conditions }
}

/** The column becomes a parameter. */
export function set(column: string, parameter: number): Assignment {
  return { field: field(column), operation: 'set', operand: { kind: 'parameter', parameter } }
}

/** The column becomes the database's time plus a parameter. */
export function setNow(column: string, plusMs: number): Assignment {
  return { field: field(column), operation: 'set', operand: { kind: 'now', plusMs } }
}

/** The column grows by a parameter. */
export function add(column: string, parameter: number): Assignment {
  return { field: field(column), operation: 'increment', operand: { kind: 'parameter', parameter } }
}

/** The column is null. */
export function isNull(column: string): Condition {
  return { kind: 'null', field: field(column) }
}

/** One of these. */
export function any(...conditions: Condition[]): Condition {
  return { kind: 'or', conditions }
}

/** Not this. */
export function not(condition: Condition): Condition {
  return { kind: 'not', condition }
}

/** The column is at most a parameter. */
export function atMost(column: string, parameter: number): Condition {
  return { kind: 'compare', field: field(column), operator: 'lte', operand: { kind: 'parameter', parameter } }
}

/** The column is more than a parameter. */
export function above(column: string, parameter: number): Condition {
  return { kind: 'compare', field: field(column), operator: 'gt', operand: { kind: 'parameter', parameter } }
}

/** The columns ascending, one after the other. */
export function ascending(...columns: string[]): Order[] {
  return columns.map((column) => ({ field: field(column), direction: 'asc' }))
}

/** These columns, as outputs of a select. */
export function outputs(columns: readonly string[]): Output[] {
  return columns.map((column) => ({ kind: 'field', name: column, field: field(column) }))
}

/** The column takes the value of the row that was to be inserted. */
export function proposed(column: string): Assignment {
  return { field: field(column), operation: 'proposed' }
}

/** The time in the column is still to come; the parameter is the clock's offset. */
export function isAhead(column: string, plusMs: number): Condition {
  return { kind: 'compare', field: field(column), operator: 'gt', operand: { kind: 'now', plusMs } }
}
