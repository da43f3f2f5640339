import { type Condition, equals, field, oneOf, type Shape } from '../statement/index.ts'

/** The condition that a column has one of some names; one name is compared as such, so that an index can go on behind it. */
export function named(name: string, source: number, names: readonly string[], shape: Shape): Condition {
  const [only] = names
  const column = field(name, source)
  shape.mark(`${name} ${names.length === 1 ? 'is' : 'in'}`)
  return names.length === 1 ? equals(column, shape.add(only)) : oneOf(column, shape.add(names))
}
