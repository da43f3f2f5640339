import type { FieldPath } from '../schema/index.ts'
import type { Condition } from './condition.ts'

/** A condition that says what a field equals. */
export type Equaling = Extract<Condition, { readonly kind: 'compare' | 'in' | 'null' }>

/** A condition that compares a field. */
export type Comparing = Extract<Condition, { readonly kind: 'compare' }>

/** What a statement's condition says of the fields of its own model, for sure: the members of its top-level `and`. */
export interface Facts {
  /** All members. */
  readonly conditions: readonly Condition[]
  /** What says that a field equals one value, or null. */
  equal(field: FieldPath): Equaling | undefined
  /** What says that a field equals one of a list. */
  list(field: FieldPath): Equaling | undefined
  /** What bounds a field: one comparison from below and one from above at most, of one JSON type. */
  range(field: FieldPath): readonly Comparing[]
  /** Where the page begins. */
  readonly after: Extract<Condition, { readonly kind: 'after' }> | undefined
}

/** Gathers the facts of a condition. */
export function factsOf(where: Condition | undefined): Facts {
  const conditions = where === undefined ? [] : members(where)
  const equal = new Map<string, Equaling>()
  const list = new Map<string, Equaling>()
  const ranges = new Map<string, Comparing[]>()
  for (const condition of conditions) {
    if (condition.kind !== 'compare' && condition.kind !== 'in' && condition.kind !== 'null') continue
    if (condition.field.source !== 0) continue
    const key = fieldKey(condition.field)
    if (condition.kind === 'in') addFirst(list, key, condition)
    else if (condition.kind === 'null' || condition.operator === 'eq') addFirst(equal, key, condition)
    else ranges.set(key, withBound(ranges.get(key) ?? [], condition))
  }
  return {
    conditions,
    equal: (field) => equal.get(fieldKey(field)),
    list: (field) => list.get(fieldKey(field)),
    range: (field) => ranges.get(fieldKey(field)) ?? [],
    after: conditions.find((condition) => condition.kind === 'after'),
  }
}

/** One text for one field of a model. Names hold no NUL. */
export function fieldKey({ column, path }: FieldPath): string {
  return path.length === 0 ? column : `${column}\0${path.join('\0')}`
}

function members(condition: Condition): readonly Condition[] {
  return condition.kind === 'and' ? condition.conditions.flatMap(members) : [condition]
}

function addFirst(map: Map<string, Equaling>, key: string, condition: Equaling): void {
  if (!map.has(key)) map.set(key, condition)
}

function withBound(bounds: Comparing[], condition: Comparing): Comparing[] {
  const taken = bounds.some((bound) => isLower(bound) === isLower(condition) || bound.json !== condition.json)
  return taken ? bounds : [...bounds, condition]
}

function isLower({ operator }: Comparing): boolean {
  return operator === 'gt' || operator === 'gte'
}
