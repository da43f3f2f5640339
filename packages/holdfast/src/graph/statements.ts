import type { Condition, Field, Output } from '../statement/index.ts'

/** A column of the statement's own table, or of a join. */
export function column(name: string, source = 0): Field {
  return { source, column: name, path: [] }
}

/** Columns as outputs under their own names. */
export function fields(names: readonly string[], source = 0): Output[] {
  return names.map((name) => ({ kind: 'field', name, field: column(name, source) }))
}

/** The field equals a parameter. */
export function equals(field: Field, parameter: number): Condition {
  return { kind: 'compare', field, operator: 'eq', operand: { kind: 'parameter', parameter } }
}

/** The field comes after a parameter. */
export function greater(field: Field, parameter: number): Condition {
  return { kind: 'compare', field, operator: 'gt', operand: { kind: 'parameter', parameter } }
}

/** The field is one of the values of a parameter. */
export function oneOf(field: Field, parameter: number): Condition {
  return { kind: 'in', field, parameter }
}
