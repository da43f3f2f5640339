import type { FieldPath, Model, Models } from '../schema/index.ts'
import type { AfterKey, Condition, Direction, Field } from './condition.ts'
import { type Comparing, type Equaling, type Facts, factsOf, fieldKey } from './facts.ts'
import type { Delete, Join, Order, Select, Update } from './statement.ts'

/**
 * How the rows of a statement's own model are best found: pure analysis of the statement and the schema. The memory backend
 * walks exactly this way; others use it to tell cheap reads from heavy ones.
 */
export interface Access {
  /**
   * `key`: the whole primary key is given, or a list of keys. `unique`: the same for a unique index. `index`: a part of an
   * index, or of the primary key's order. `scan`: every row.
   */
  readonly kind: 'key' | 'unique' | 'index' | 'scan'
  /** The index by its name in the database; null for the primary key. */
  readonly index: string | null
  /** The fields by which this way sorts: those of the index, then those of the primary key. */
  readonly fields: readonly FieldPath[]
  /** What the first of these fields must equal, one pin a field. */
  readonly pins: readonly Pin[]
  /** Comparisons that bound the field after the pins: at most one from below and one from above. */
  readonly range: readonly Comparing[]
  /** Where a page begins: the keys of the fields after the pins, in order. `range` then stands in `rest` too. */
  readonly after: readonly AfterKey[] | null
  /**
   * The directions of the fields after the pins, when walking them so gives the wanted order and a limit can stop early;
   * empty when any order will do, null when the rows must be sorted.
   */
  readonly order: readonly Direction[] | null
  /** The conditions that this way does not ensure; they are checked row by row. */
  readonly rest: readonly Condition[]
  /** How the rows of each join are found. */
  readonly joins: readonly JoinAccess[]
}

/** A field that must equal something. */
export interface Pin {
  readonly condition: Equaling
  /** The direction in which the elements of an `in` list are taken. */
  readonly direction: Direction
}

/** How the rows of a join are found: by its primary key, by an index, or by going through all of them. */
export interface JoinAccess {
  readonly kind: 'key' | 'unique' | 'index' | 'scan'
  /** The index by its name in the database; null for the primary key. */
  readonly index: string | null
  /** The pairs that look the row up, in the order of the index's fields. */
  readonly pairs: Join['on']
  /** The pairs that are left to be checked. */
  readonly rest: Join['on']
}

/** A way to walk a model: its primary key, or an index with the primary key behind. */
interface Way {
  readonly index: string | null
  readonly unique: boolean
  /** How many of the fields are the index's own. */
  readonly own: number
  readonly fields: readonly FieldPath[]
  /** Columns without whose values a row is not on this way. */
  readonly sparse: readonly string[]
}

/**
 * Says how a statement finds its rows.
 *
 * @example
 * ```ts
 * describeAccess(accessOf(statement, models)) // 'index sessions_user_id_last_used_index (1 equal, range, ordered)'
 * ```
 */
export function accessOf(statement: Select | Update | Delete, models: Pick<Models, 'get'>): Access {
  const model = models.get(statement.model) as Model
  const facts = factsOf(statement.where)
  const order = wantedOrder(statement)
  const limited = statement.limit !== undefined
  let best: Access | undefined
  let bestScore = -1
  for (const way of waysOf(model)) {
    // A sparse index leaves rows out that the statement may want.
    if (!way.sparse.every((column) => mustBePresent({ column, path: [] }, facts))) continue
    const access = accessBy(way, model, facts, order)
    const score = scoreOf(access, limited)
    if (score > bestScore) [best, bestScore] = [access, score]
  }
  const joins = statement.kind === 'select' ? statement.joins.map((join) => joinAccess(join, models)) : []
  return { ...(best as Access), joins }
}

/** A short description for people: `key`, `unique users_email_unique`, `scan (ordered)`. */
export function describeAccess({ kind, index, pins, range, after, order }: Access): string {
  const details = [
    pins.length > 0 && kind === 'index' && `${pins.length} equal`,
    pins.some(({ condition }) => condition.kind === 'in') && 'list',
    (range.length > 0 || after !== null) && 'range',
    order !== null && order.length > 0 && 'ordered',
    order === null && 'sorted',
  ].filter((detail) => detail !== false)
  return [kind, index, details.length > 0 && `(${details.join(', ')})`].filter((part) => part).join(' ')
}

function waysOf(model: Model): Way[] {
  const key = model.primaryKey.map((column): FieldPath => ({ column, path: [] }))
  const primary: Way = { index: null, unique: true, own: key.length, fields: key, sparse: [] }
  const others = model.indexes.map(({ name, unique, fields, sparse = [] }): Way => {
    const behind = key.filter((field) => !fields.some((own) => fieldKey(own) === fieldKey(field)))
    return { index: name, unique, own: fields.length, fields: [...fields, ...behind], sparse }
  })
  return [primary, ...others]
}

/** Whether only rows are wanted that have a value in a field. */
function mustBePresent(field: FieldPath, facts: Facts): boolean {
  const equal = facts.equal(field)
  if ((equal !== undefined && equal.kind !== 'null') || facts.list(field) !== undefined) return true
  if (facts.range(field).length > 0) return true
  const key = fieldKey(field)
  return facts.conditions.some(
    (condition) =>
      condition.kind === 'not' &&
      condition.condition.kind === 'null' &&
      condition.condition.field.source === 0 &&
      fieldKey(condition.condition.field) === key,
  )
}

/** The order in which rows of the statement's own model are wanted; null when it cannot come from there. */
function wantedOrder(statement: Select | Update | Delete): readonly Order[] | null {
  if (statement.kind !== 'select') return statement.orderBy
  if (statement.groupBy !== undefined || statement.orderBy.length === 0) return []
  const orders = statement.orderBy.map(({ field, direction }): Order | undefined => {
    if (field.source === 0) return { field, direction }
    const output = field.source === 'output' && statement.outputs.find(({ name }) => name === field.column)
    return output && output.kind === 'field' && output.field.source === 0
      ? { field: output.field, direction }
      : undefined
  })
  // Joined rows come in the order of the rows they are put beside, so an order of those holds for both.
  return orders.includes(undefined) ? null : (orders as Order[])
}

function accessBy(way: Way, model: Model, facts: Facts, wanted: readonly Order[] | null): Access {
  const pins = pinsOf(way, facts)
  const whole = pins.length >= way.own && way.unique && !pins.slice(0, way.own).some(({ kind }) => kind === 'null')
  const single = whole && !pins.some(({ kind }) => kind === 'in')
  const next = whole ? undefined : way.fields[pins.length]
  const range = next === undefined ? [] : facts.range(next)
  const walk = wanted === null ? null : walkInOrder(way, model, pins, facts, wanted)
  const after = !whole && walk?.exact === true ? afterIn(facts, wanted as readonly Order[], walk.directions) : null
  const used = new Set<Condition>(pins)
  if (after === null) for (const condition of range) used.add(condition)
  else if (new Set(walk?.directions).size === 1) used.add(facts.after as Condition)
  const bounded = pins.length > 0 || range.length > 0 || after !== null
  return {
    kind: whole ? (way.index === null ? 'key' : 'unique') : bounded ? 'index' : 'scan',
    index: way.index,
    fields: way.fields,
    pins: pins.map((condition) => ({ condition, direction: condition === walk?.list ? walk.listDirection : 'asc' })),
    range,
    after,
    order: single ? [] : (walk?.directions ?? null),
    rest: facts.conditions.filter((condition) => !used.has(condition)),
    joins: [],
  }
}

/** The first fields, as far as something says what they equal; one list at most, so that a walk is a few ranges. */
function pinsOf(way: Way, facts: Facts): Equaling[] {
  const pins: Equaling[] = []
  let listed = false
  for (const field of way.fields) {
    const pin: Equaling | undefined = facts.equal(field) ?? (listed ? undefined : facts.list(field))
    if (pin === undefined) break
    listed ||= pin.kind === 'in'
    pins.push(pin)
  }
  return pins
}

/** How the fields after the pins are walked to give an order. */
interface Walk {
  readonly directions: readonly Direction[]
  readonly list: Equaling | undefined
  readonly listDirection: Direction
  /** Whether the steps of the wanted order are exactly the fields after the pins, from the first on. */
  readonly exact: boolean
}

function walkInOrder(
  way: Way,
  model: Model,
  pins: readonly Equaling[],
  facts: Facts,
  wanted: readonly Order[],
): Walk | null {
  const steps = wanted.filter(({ field }) => facts.equal(field) === undefined)
  const listAt = pins.findIndex(({ kind }) => kind === 'in')
  const list = pins[listAt]
  let listDirection: Direction = 'asc'
  if (list !== undefined && steps.length > 0) {
    const [first] = steps.splice(0, 1) as [Order]
    if (fieldKey(first.field) !== fieldKey(list.field)) return null
    listDirection = first.direction
  }
  const directions: Direction[] = []
  let exact = list === undefined && steps.length === wanted.length
  for (const { field, direction } of steps) {
    while (isPinnedAt(way, pins.length + directions.length, facts)) {
      directions.push(direction)
      exact = false
    }
    const here = way.fields[pins.length + directions.length]
    if (here === undefined) {
      // All fields of the primary key are behind us: no two rows tie, and further steps mean nothing.
      exact = false
      break
    }
    if (fieldKey(here) !== fieldKey(field)) {
      if (!coversKey(model, way.fields.slice(0, pins.length + directions.length))) return null
      exact = false
      break
    }
    directions.push(direction)
  }
  return { directions, list, listDirection, exact }
}

function isPinnedAt(way: Way, at: number, facts: Facts): boolean {
  const field = way.fields[at]
  return field !== undefined && facts.equal(field) !== undefined
}

function coversKey(model: Model, fields: readonly FieldPath[]): boolean {
  return model.primaryKey.every((column) => fields.some((field) => field.column === column && field.path.length === 0))
}

function afterIn(facts: Facts, wanted: readonly Order[], directions: readonly Direction[]): readonly AfterKey[] | null {
  const { after } = facts
  if (after === undefined || after.keys.length !== directions.length) return null
  const same = after.keys.every(
    ({ field, direction }, index) =>
      direction === wanted[index]?.direction && fieldKey(field) === fieldKey((wanted[index] as Order).field),
  )
  return same ? after.keys : null
}

/** Prefers one row, then more pins, then an order that lets a limit stop early, then a range, then any order. */
function scoreOf({ kind, pins, range, after, order }: Access, limited: boolean): number {
  const lists = pins.filter(({ condition }) => condition.kind === 'in').length
  if ((kind === 'key' || kind === 'unique') && lists === 0) return 1000
  const early = limited && order !== null
  return (
    pins.length * 10 - lists + (early ? 7 : 0) + range.length * 3 + (after === null ? 0 : 3) + (order === null ? 0 : 1)
  )
}

function joinAccess({ model: name, on }: Join, models: Pick<Models, 'get'>): JoinAccess {
  const model = models.get(name) as Model
  let best: JoinAccess = { kind: 'scan', index: null, pairs: [], rest: on }
  for (const way of waysOf(model)) {
    const pairs = leadingPairs(way, on)
    if (pairs.length <= best.pairs.length) continue
    // What is equal to something has a value.
    if (!way.sparse.every((column) => on.some(([, there]) => fieldKey(there) === column))) continue
    const whole = way.unique && pairs.length >= way.own
    const kind = whole ? (way.index === null ? 'key' : 'unique') : 'index'
    best = { kind, index: way.index, pairs, rest: on.filter((pair) => !pairs.includes(pair)) }
  }
  return best
}

function leadingPairs(way: Way, on: Join['on']): (readonly [Field, Field])[] {
  const pairs: (readonly [Field, Field])[] = []
  for (const field of way.fields) {
    const pair = on.find(([, there]) => fieldKey(there) === fieldKey(field))
    if (pair === undefined) break
    pairs.push(pair)
  }
  return pairs
}
