import { describe, isStorableText, UNSTORABLE_TEXT } from '../schema/index.ts'
import type { ComparisonOperator, Condition, JsonScalar } from './condition.ts'
import { readReach } from './reach.ts'
import type { Scope, ScopeField } from './scope.ts'
import type { Shape } from './shape.ts'

/** How deep `and`, `or` and `not` may nest. */
const MAX_DEPTH = 64

/** After so many issues a condition is read no further. */
const MOST_ISSUES = 100

const COMPARISONS = new Set(['gt', 'gte', 'lt', 'lte'])
const MATCHES = new Set(['contains', 'startsWith', 'endsWith'])
const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'notIn', 'contains', 'startsWith', 'endsWith', 'has']

/**
 * Reads a user's condition: checks every name, operator and value, and adds its parameters and its shape to `shape`.
 *
 * @returns the condition; undefined where everything matches.
 */
export function readWhere(
  where: unknown,
  scope: Scope,
  shape: Shape,
  path = 'where',
  depth = 0,
): Condition | undefined {
  if (!isPlainObject(where)) {
    shape.refuse(path, `must be an object of conditions, got ${describe(where)}`)
    return undefined
  }
  if (depth > MAX_DEPTH) {
    shape.refuse('where', `must nest at most ${MAX_DEPTH} levels deep`)
    return undefined
  }
  // A condition that holds itself would be read for ever.
  if (depth > 0 && shape.issues.length > MOST_ISSUES) return undefined
  const conditions: Condition[] = []
  for (const name of Object.keys(where)) {
    const value = where[name]
    const at = `${path}.${name}`
    if (name === 'and' || name === 'or') {
      const list = readList(name, value, scope, shape, at, depth)
      if (list !== undefined) conditions.push(list)
    } else if (name === 'not') {
      shape.mark('not(')
      const inner = readWhere(value, scope, shape, at, depth + 1) ?? { kind: 'and', conditions: [] }
      shape.mark(')')
      conditions.push({ kind: 'not', condition: inner })
    } else if (name === 'reach' && isPlainObject(value) && 'from' in value && scope.key !== undefined) {
      const reach = readReach(value, scope, shape, at)
      if (reach !== undefined) conditions.push(reach)
    } else {
      const known = scope.resolve(name)
      if (known === null) shape.refuse(at, `is not a field of ${scope.subject}`)
      else readField(known, name, value, shape, at, conditions)
    }
  }
  return conditions.length > 1 ? { kind: 'and', conditions } : conditions[0]
}

function readList(
  kind: 'and' | 'or',
  value: unknown,
  scope: Scope,
  shape: Shape,
  path: string,
  depth: number,
): Condition | undefined {
  if (!Array.isArray(value)) {
    shape.refuse(path, `must be a list of conditions, got ${describe(value)}`)
    return undefined
  }
  shape.mark(`${kind}(`)
  const conditions = Array.from(value, (inner, index) => {
    shape.mark(',')
    return readWhere(inner, scope, shape, `${path}.${index}`, depth + 1) ?? { kind: 'and' as const, conditions: [] }
  })
  shape.mark(')')
  return { kind, conditions }
}

function readField(
  known: ScopeField,
  name: string,
  value: unknown,
  shape: Shape,
  path: string,
  into: Condition[],
): void {
  if (!isPlainObject(value)) {
    into.push(readOperator(known, name, 'eq', value, shape, path))
    return
  }
  const operators = Object.keys(value)
  if (operators.length === 0) shape.refuse(path, `must name an operator: ${OPERATORS.join(', ')}`)
  for (const operator of operators) {
    if (OPERATORS.includes(operator)) {
      into.push(readOperator(known, name, operator, value[operator], shape, `${path}.${operator}`))
    } else {
      shape.refuse(`${path}.${operator}`, `is not an operator; known: ${OPERATORS.join(', ')}`)
    }
  }
}

/** Given back where something was refused: the call fails before it is used. */
const REFUSED: Condition = { kind: 'or', conditions: [] }

function readOperator(
  known: ScopeField,
  name: string,
  operator: string,
  value: unknown,
  shape: Shape,
  path: string,
): Condition {
  if (value === undefined) {
    shape.refuse(path, 'is undefined; leave it out, or use null to find nulls')
    return REFUSED
  }
  if (operator === 'ne' || operator === 'notIn') {
    shape.mark('!')
    const read = operator === 'ne' ? readEqual : readIn
    return { kind: 'not', condition: read(known, name, value, shape, path) }
  }
  if (operator === 'eq') return readEqual(known, name, value, shape, path)
  if (operator === 'in') return readIn(known, name, value, shape, path)
  if (operator === 'has') return readHas(known, name, value, shape, path)
  if (MATCHES.has(operator)) {
    return readMatch(known, name, operator as 'contains' | 'startsWith' | 'endsWith', value, shape, path)
  }
  if (COMPARISONS.has(operator) && value !== null)
    return compare(known, name, operator as ComparisonOperator, value, shape, path)
  shape.refuse(path, 'cannot be null; use { field: null } or { ne: null }')
  return REFUSED
}

function readEqual(known: ScopeField, name: string, value: unknown, shape: Shape, path: string): Condition {
  if (value !== null) return compare(known, name, 'eq', value, shape, path)
  shape.name(name)
  shape.mark('null')
  return { kind: 'null', field: known.field }
}

function compare(
  known: ScopeField,
  name: string,
  operator: ComparisonOperator,
  value: unknown,
  shape: Shape,
  path: string,
): Condition {
  const { field } = known
  shape.name(name)
  shape.mark(operator)
  if (known.type === 'path') {
    const json = readScalar(value, shape, path)
    shape.mark(json)
    return { kind: 'compare', field, operator, json, operand: { kind: 'parameter', parameter: shape.add(value) } }
  }
  if (known.type === 'json') {
    shape.refuse(path, 'is JSON; compare a path into it, or use has')
    return REFUSED
  }
  const parameter = shape.add(known.accept(value, path, shape.issues))
  return { kind: 'compare', field, operator, operand: { kind: 'parameter', parameter } }
}

function readIn(known: ScopeField, name: string, value: unknown, shape: Shape, path: string): Condition {
  if (!Array.isArray(value)) {
    shape.refuse(path, `must be a list, got ${describe(value)}`)
    return REFUSED
  }
  const withNull = value.includes(null)
  const values = withNull ? Array.from(value as unknown[]).filter((element) => element !== null) : value
  const listed =
    known.type === 'path' ? pathIn(known, name, values, shape, path) : columnIn(known, name, values, shape, path)
  if (!withNull) return listed
  shape.mark('ornull')
  return { kind: 'or', conditions: [listed, { kind: 'null', field: known.field }] }
}

function columnIn(known: ScopeField, name: string, values: readonly unknown[], shape: Shape, path: string): Condition {
  if (known.type === 'json') {
    shape.refuse(path, 'is JSON; compare a path into it, or use has')
    return REFUSED
  }
  shape.name(name)
  shape.mark('in')
  // Not with map, which passes over holes.
  const accepted = Array.from(values, (element, index) => known.accept(element, `${path}.${index}`, shape.issues))
  return { kind: 'in', field: known.field, parameter: shape.add(accepted) }
}

/** A list at a JSON path may mix types; each type is a condition of its own. */
function pathIn(known: ScopeField, name: string, values: readonly unknown[], shape: Shape, path: string): Condition {
  const byType = new Map<JsonScalar, unknown[]>()
  for (const [index, element] of values.entries()) {
    const json = readScalar(element, shape, `${path}.${index}`)
    const same = byType.get(json)
    if (same === undefined) byType.set(json, [element])
    else same.push(element)
  }
  shape.name(name)
  const conditions = [...byType].map(([json, elements]): Condition => {
    shape.mark(`in ${json}`)
    return { kind: 'in', field: known.field, parameter: shape.add(elements), json }
  })
  shape.mark('endin')
  return conditions.length === 1 ? (conditions[0] as Condition) : { kind: 'or', conditions }
}

function readHas(known: ScopeField, name: string, value: unknown, shape: Shape, path: string): Condition {
  if (known.type !== 'path' && known.type !== 'json') shape.refuse(path, 'needs a list in JSON')
  shape.name(name)
  const json = readScalar(value, shape, path)
  shape.mark(`has ${json}`)
  return { kind: 'has', field: known.field, parameter: shape.add(value), json }
}

function readMatch(
  known: ScopeField,
  name: string,
  operator: 'contains' | 'startsWith' | 'endsWith',
  value: unknown,
  shape: Shape,
  path: string,
): Condition {
  if (known.type !== 'text' && known.type !== 'enum' && known.type !== 'path') shape.refuse(path, 'needs a text field')
  if (typeof value !== 'string') shape.refuse(path, `must be text, got ${describe(value)}`)
  else if (!isStorableText(value)) shape.refuse(path, UNSTORABLE_TEXT)
  shape.name(name)
  shape.mark(operator)
  return { kind: 'match', field: known.field, operator, parameter: shape.add(value) }
}

function readScalar(value: unknown, shape: Shape, path: string): JsonScalar {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) shape.refuse(path, `must be a finite number, got ${value}`)
    return 'number'
  }
  if (typeof value !== 'string') shape.refuse(path, `must be text, a number or a boolean, got ${describe(value)}`)
  else if (!isStorableText(value)) shape.refuse(path, UNSTORABLE_TEXT)
  return 'text'
}

/** Whether a value is an object that holds conditions or operators, rather than a value such as a Date. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    const prototype = Object.getPrototypeOf(value)
    return prototype === Object.prototype || prototype === null
  } catch {
    // A proxy that breaks when it is looked at; whoever refuses it says so.
    return false
  }
}
