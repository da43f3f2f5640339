import { readPath } from '../../schema/index.ts'
import type { AfterKey, Condition, Direction, Field, JsonScalar } from '../../statement/index.ts'
import type { Binder, Values } from './binder.ts'
import type { Place } from './definition.ts'
import { compareStored, identityOf, SOME_OBJECT } from './order.ts'
import type { StoredRow } from './values.ts'

/** A condition made ready: whether it holds for a row. */
export type Predicate = (row: StoredRow, values: Values) => boolean

/** Reads one value of a row. */
export type Reader = (row: StoredRow) => unknown

/** Where the fields of a statement stand in the rows that it works on. */
export type Places = (field: Field) => Place

type Kind<Name extends Condition['kind']> = Extract<Condition, { readonly kind: Name }>

/** Makes the reader of a place. */
export function readerOf({ slot, path }: Place): Reader {
  return path.length === 0 ? (row) => row[slot] : (row) => readPath(row[slot], path)
}

/** Makes a condition ready. */
export function compileCondition(condition: Condition, places: Places, binder: Binder): Predicate {
  switch (condition.kind) {
    case 'and':
      return allOf(condition.conditions.map((inner) => compileCondition(inner, places, binder)))
    case 'or':
      return anyOf(condition.conditions.map((inner) => compileCondition(inner, places, binder)))
    case 'not': {
      const inner = compileCondition(condition.condition, places, binder)
      return (row, values) => !inner(row, values)
    }
    case 'compare':
      return compileComparison(condition, places, binder)
    case 'in':
      return compileIn(condition, places, binder)
    case 'null': {
      const read = readerOf(places(condition.field))
      return (row) => read(row) === null
    }
    case 'match':
      return compileMatch(condition, places, binder)
    case 'has': {
      const read = readerOf(places(condition.field))
      const at = binder.count(condition.parameter)
      return (row, values) => {
        const list = read(row)
        return Array.isArray(list) && list.includes(values[at])
      }
    }
    case 'after':
      return compileAfter(condition.keys, places, binder)
  }
}

/** Whether all hold. */
export function allOf(predicates: readonly Predicate[]): Predicate {
  const [first, second] = predicates
  if (first === undefined) return () => true
  if (second === undefined) return first
  if (predicates.length === 2) return (row, values) => first(row, values) && second(row, values)
  return (row, values) => {
    for (const predicate of predicates) if (!predicate(row, values)) return false
    return true
  }
}

function anyOf(predicates: readonly Predicate[]): Predicate {
  return (row, values) => {
    for (const predicate of predicates) if (predicate(row, values)) return true
    return false
  }
}

function compileComparison(
  { field, operator, operand, json }: Kind<'compare'>,
  places: Places,
  binder: Binder,
): Predicate {
  const place = places(field)
  const read = readerOf(place)
  const at = binder.operand(operand, place.type)
  const comparable = comparableWith(json)
  if (operator === 'eq' && place.type.type !== 'bytes') {
    return (row, values) => values[at] !== null && read(row) === values[at]
  }
  const holds = {
    eq: (difference: number) => difference === 0,
    gt: (difference: number) => difference > 0,
    gte: (difference: number) => difference >= 0,
    lt: (difference: number) => difference < 0,
    lte: (difference: number) => difference <= 0,
  }[operator]
  return (row, values) => {
    const value = read(row)
    return value !== null && values[at] !== null && comparable(value) && holds(compareStored(value, values[at]))
  }
}

const TYPE_OF: Readonly<Record<JsonScalar, string>> = { text: 'string', number: 'number', boolean: 'boolean' }

function comparableWith(json: JsonScalar | undefined): (value: unknown) => boolean {
  if (json === undefined) return () => true
  const type = TYPE_OF[json]
  return (value) => typeof value === type
}

function compileIn({ field, parameter }: Kind<'in'>, places: Places, binder: Binder): Predicate {
  const place = places(field)
  const read = readerOf(place)
  const at = binder.set(parameter, place.type)
  return (row, values) => {
    const value = read(row)
    return value !== null && (values[at] as ReadonlySet<unknown>).has(identityOf(value))
  }
}

function compileMatch({ field, operator, parameter }: Kind<'match'>, places: Places, binder: Binder): Predicate {
  const read = readerOf(places(field))
  const at = binder.count(parameter)
  const matches = {
    contains: (text: string, part: string) => text.includes(part),
    startsWith: (text: string, part: string) => text.startsWith(part),
    endsWith: (text: string, part: string) => text.endsWith(part),
  }[operator]
  return (row, values) => {
    const value = read(row)
    return typeof value === 'string' && matches(value, values[at] as string)
  }
}

/** Makes the reader of a value at which a page begins. */
export function bindAfterKey(
  { field, parameter, json }: AfterKey,
  places: Places,
  binder: Binder,
): (values: Values) => unknown {
  if (json === 'other') return () => SOME_OBJECT
  if (parameter === null) return () => null
  const at = binder.parameter(parameter, places(field).type)
  return (values) => values[at]
}

function compileAfter(keys: readonly AfterKey[], places: Places, binder: Binder): Predicate {
  const steps = keys.map((key) => ({
    read: readerOf(places(key.field)),
    value: bindAfterKey(key, places, binder),
    sign: signOf(key.direction),
  }))
  return (row, values) => {
    for (const { read, value, sign } of steps) {
      const difference = compareStored(read(row), value(values)) * sign
      if (difference !== 0) return difference > 0
    }
    return false
  }
}

/** By what a comparison is multiplied to run in a direction. */
export function signOf(direction: Direction): 1 | -1 {
  return direction === 'asc' ? 1 : -1
}
