import type { Assignment, Condition, Field, Order, Output } from '../statement/index.ts'

/** A column of the statement's own model. */
export function field(column: string): Field {
  return { source: 0, column, path: [] }
}

/** The column must equal a parameter. */
export function equals(column: string, parameter: number): Condition {
  return compare(column, 'eq', parameter)
}

/** The column is compared with a parameter. */
export function compare(column: string, operator: 'eq' | 'gt' | 'gte' | 'lt' | 'lte', parameter: number): Condition {
  return { kind: 'compare', field: field(column), operator, operand: { kind: 'parameter', parameter } }
}

/** The column must be one of the list that a parameter holds. */
export function oneOf(column: string, parameter: number): Condition {
  return { kind: 'in', field: field(column), parameter }
}

export function isNull(column: string): Condition {
  return { kind: 'null', field: field(column) }
}

export function not(condition: Condition): Condition {
  return { kind: 'not', condition }
}

export function all(...conditions: readonly Condition[]): Condition {
  return { kind: 'and', conditions }
}

export function any(...conditions: readonly Condition[]): Condition {
  return { kind: 'or', conditions }
}

export function outputs(columns: readonly string[]): Output[] {
  return columns.map((name) => ({ kind: 'field', name, field: field(name) }))
}

export function by(column: string, direction: 'asc' | 'desc' = 'asc'): Order {
  return { field: field(column), direction }
}

/** Takes the value of the row that was to be inserted. */
export function proposed(column: string): Assignment {
  return { field: field(column), operation: 'proposed' }
}
