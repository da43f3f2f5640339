import type { ComparisonOperator, Condition, Direction, Field } from './condition.ts'
import type { Assignment, Order, Output } from './statement.ts'

/**
 * Small parts of statements, for features that write their statements by hand. A column is given by its name where it is one of the
 * statement's own model, and as a field otherwise; values are parameters, by their places.
 *
 * ```ts
 * const where = all(equals('queue', 0), oneOf('state', 1), not(isNull('key')))
 * ```
 */
export type Column = string | Field

/** A column of the statement's own model, of one of its joins, or of a select's outputs. */
export function field(column: string, source: Field['source'] = 0): Field {
  return { source, column, path: [] }
}

function fieldOf(column: Column): Field {
  return typeof column === 'string' ? field(column) : column
}

/** The column is compared with a parameter. */
export function compare(column: Column, operator: ComparisonOperator, parameter: number): Condition {
  return { kind: 'compare', field: fieldOf(column), operator, operand: { kind: 'parameter', parameter } }
}

/** The column equals a parameter. */
export function equals(column: Column, parameter: number): Condition {
  return compare(column, 'eq', parameter)
}

/** The column is one of the values of a parameter, which is a list. */
export function oneOf(column: Column, parameter: number): Condition {
  return { kind: 'in', field: fieldOf(column), parameter }
}

/** The column is null. */
export function isNull(column: Column): Condition {
  return { kind: 'null', field: fieldOf(column) }
}

/** The time in the column has come, by the database's clock moved on by a parameter, in milliseconds. */
export function isDue(column: Column, plusMs: number): Condition {
  return { kind: 'compare', field: fieldOf(column), operator: 'lte', operand: { kind: 'now', plusMs } }
}

/** The time in the column is still to come, by the database's clock moved on by a parameter, in milliseconds. */
export function isAhead(column: Column, plusMs: number): Condition {
  return { kind: 'compare', field: fieldOf(column), operator: 'gt', operand: { kind: 'now', plusMs } }
}

/** All of these. */
export function all(...conditions: readonly Condition[]): Condition {
  return { kind: 'and', conditions }
}

/** All of these, without a list around a single one; undefined, which is every row, where there are none. */
export function allOf(conditions: readonly Condition[]): Condition | undefined {
  return conditions.length > 1 ? { kind: 'and', conditions } : conditions[0]
}

/** One of these. */
export function any(...conditions: readonly Condition[]): Condition {
  return { kind: 'or', conditions }
}

/** Not this. */
export function not(condition: Condition): Condition {
  return { kind: 'not', condition }
}

/** The column becomes a parameter. */
export function set(column: Column, parameter: number): Assignment {
  return { field: fieldOf(column), operation: 'set', operand: { kind: 'parameter', parameter } }
}

/** The column becomes the database's time plus a parameter, in milliseconds. */
export function setNow(column: Column, plusMs: number): Assignment {
  return { field: fieldOf(column), operation: 'set', operand: { kind: 'now', plusMs } }
}

/** The column grows by a parameter; null stays null. */
export function add(column: Column, parameter: number): Assignment {
  return { field: fieldOf(column), operation: 'increment', operand: { kind: 'parameter', parameter } }
}

/** The column takes the value of the row that was to be inserted. */
export function proposed(column: string): Assignment {
  return { field: field(column), operation: 'proposed' }
}

/** Columns as outputs of a select, under their own names. */
export function outputs(columns: readonly string[], source = 0): Output[] {
  return columns.map((name) => ({ kind: 'field', name, field: field(name, source) }))
}

/** The columns ascending, one after the other. */
export function ascending(...columns: readonly Column[]): Order[] {
  return ordered(columns, 'asc')
}

/** The columns descending, one after the other. */
export function descending(...columns: readonly Column[]): Order[] {
  return ordered(columns, 'desc')
}

function ordered(columns: readonly Column[], direction: Direction): Order[] {
  return columns.map((column) => ({ field: fieldOf(column), direction }))
}
