import type { Condition, Field, Output, Shape } from '../statement/index.ts'

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

/** The condition that a column has one of some names; one name is compared as such, so that an index can go on behind it. */
export function named(name: string, source: number, names: readonly string[], shape: Shape): Condition {
  const [only] = names
  shape.mark(`${name} ${names.length === 1 ? 'is' : 'in'}`)
  return names.length === 1
    ? equals(column(name, source), shape.add(only))
    : oneOf(column(name, source), shape.add(names))
}
