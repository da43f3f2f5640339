import type { Access, Comparing, Direction, JsonScalar, Pin } from '../../statement/index.ts'
import type { Binder, Values } from './binder.ts'
import { compareStored, SOME_OBJECT } from './order.ts'
import { bindAfterKey, type Places, signOf } from './predicate.ts'
import { type Edge, orderedRows, type Run } from './range.ts'
import type { Rows } from './rows.ts'
import type { Table } from './table.ts'
import type { Tree } from './tree.ts'
import type { StoredRow } from './values.ts'

/** Reads the rows of a table that an access finds, in its order. */
export type Walk = (table: Table, values: Values) => Rows

const NONE: Rows = { next: () => undefined }

/** Makes an access ready: its pins, its range and where its page begins become the edges of a walk through a tree. */
export function compileWalk(access: Access, places: Places, binder: Binder): Walk {
  const pins = access.pins.map((pin) => compilePin(pin, places, binder))
  const edgesOf = compileEdges(access, places, binder)
  const runs = runsOf(access.order ?? [])
  const pinned = pins.length
  const listAt = access.pins.findIndex(({ condition }) => condition.kind === 'in')
  const direction = access.pins[listAt]?.direction ?? 'asc'
  const whole = access.kind === 'key' || access.kind === 'unique'

  return (table, values) => {
    const tree = table.tree(access.index)
    const key = new Array<unknown>(pinned)
    for (let at = 0; at < pinned; at++) {
      const value = (pins[at] as BoundPin)(values)
      if (value === undefined) return NONE
      key[at] = value
    }
    const rangeOf = (pinnedTo: readonly unknown[]): Rows => {
      const edges = edgesOf(pinnedTo, values)
      return edges === undefined ? NONE : orderedRows(tree, edges.low, edges.high, pinned, runs)
    }
    if (listAt === -1) return whole ? new LookedUpRows(tree, key, 0, key.slice(0, 1)) : rangeOf(key)
    const list = sorted(key[listAt] as readonly unknown[], direction)
    return whole
      ? new LookedUpRows(tree, key, listAt, list)
      : new ChainedRows(list, (one) => rangeOf(key.with(listAt, one)))
  }
}

/** The rows of several keys that differ in one value, as far as there are such rows. */
class LookedUpRows implements Rows {
  readonly #tree: Tree
  readonly #key: unknown[]
  readonly #at: number
  readonly #list: readonly unknown[]
  #next = 0

  constructor(tree: Tree, key: unknown[], at: number, list: readonly unknown[]) {
    this.#tree = tree
    this.#key = key
    this.#at = at
    this.#list = list
  }

  next(): StoredRow | undefined {
    while (this.#next < this.#list.length) {
      this.#key[this.#at] = this.#list[this.#next++]
      const row = this.#tree.find(this.#key, this.#key.length)
      if (row !== undefined) return row
    }
    return undefined
  }
}

/** The rows of one element of a list after the other. */
class ChainedRows implements Rows {
  readonly #list: readonly unknown[]
  readonly #rowsOf: (element: unknown) => Rows
  #rows: Rows = NONE
  #next = 0

  constructor(list: readonly unknown[], rowsOf: (element: unknown) => Rows) {
    this.#list = list
    this.#rowsOf = rowsOf
  }

  next(): StoredRow | undefined {
    for (;;) {
      const row = this.#rows.next()
      if (row !== undefined || this.#next >= this.#list.length) return row
      this.#rows = this.#rowsOf(this.#list[this.#next++])
    }
  }
}

/** What a field must equal; undefined where nothing can. */
type BoundPin = (values: Values) => unknown

function compilePin({ condition }: Pin, places: Places, binder: Binder): BoundPin {
  if (condition.kind === 'null') return () => null
  const { type } = places(condition.field)
  const at = condition.kind === 'in' ? binder.list(condition.parameter, type) : binder.operand(condition.operand, type)
  return (values) => values[at] ?? undefined
}

/** In order and without repetitions, so that no row is found twice. */
function sorted(list: readonly unknown[], direction: Direction): unknown[] {
  const sign = signOf(direction)
  const inOrder = list.toSorted((left, right) => compareStored(left, right) * sign)
  return inOrder.filter((value, at) => at === 0 || compareStored(inOrder[at - 1], value) !== 0)
}

function runsOf(directions: readonly Direction[]): Run[] {
  const runs: { direction: Direction; length: number }[] = []
  for (const direction of directions) {
    const last = runs.at(-1)
    if (last?.direction === direction) last.length++
    else runs.push({ direction, length: 1 })
  }
  return runs
}

interface Edges {
  low: Edge
  high: Edge
}

/** Makes the edges for the values of the pins; undefined where nothing lies between them. */
type EdgesOf = (key: readonly unknown[], values: Values) => Edges | undefined

function compileEdges(access: Access, places: Places, binder: Binder): EdgesOf {
  const within = compileRange(access.range, places, binder)
  const start = compileStart(access, places, binder)
  return (key, values) => {
    const edges = within(key, values)
    if (edges !== undefined) start?.(edges, key, values)
    return edges
  }
}

function compileRange(range: readonly Comparing[], places: Places, binder: Binder): EdgesOf {
  const [first] = range
  if (first === undefined) return (key) => ({ low: { key, inclusive: true }, high: { key, inclusive: true } })
  const [floor, ceiling] = first.json === undefined ? COLUMN_LIMITS : JSON_LIMITS[first.json]
  const bounds = range.map(({ operator, operand, field }) => ({
    at: binder.operand(operand, places(field).type),
    side: operator === 'gt' || operator === 'gte' ? ('low' as const) : ('high' as const),
    inclusive: operator === 'gte' || operator === 'lte',
  }))
  return (key, values) => {
    const edges = {
      low: { key: [...key, ...floor.values], inclusive: floor.inclusive },
      high: { key: [...key, ...ceiling.values], inclusive: ceiling.inclusive },
    }
    for (const { at, side, inclusive } of bounds) {
      if (values[at] === null) return undefined
      edges[side] = { key: [...key, values[at]], inclusive }
    }
    return edges
  }
}

interface Limit {
  readonly values: readonly unknown[]
  readonly inclusive: boolean
}

/** A comparison never finds null, which comes first. */
const COLUMN_LIMITS: readonly [Limit, Limit] = [
  { values: [null], inclusive: false },
  { values: [], inclusive: true },
]

/** A comparison at a JSON path never leaves its type: from the first value of the type to before the first of the next. */
const JSON_LIMITS: Readonly<Record<JsonScalar, readonly [Limit, Limit]>> = {
  boolean: [
    { values: [false], inclusive: true },
    { values: [Number.NEGATIVE_INFINITY], inclusive: false },
  ],
  number: [
    { values: [Number.NEGATIVE_INFINITY], inclusive: true },
    { values: [''], inclusive: false },
  ],
  text: [
    { values: [''], inclusive: true },
    { values: [SOME_OBJECT], inclusive: false },
  ],
}

/**
 * Moves the edge where the walk begins to where the page does. Where the order changes direction, the page is no single range:
 * it then begins at the group of the last row, and the condition itself passes over what came before.
 */
function compileStart({ after, order }: Access, places: Places, binder: Binder) {
  const [first, second] = runsOf(order ?? [])
  if (after === null || first === undefined) return undefined
  const inclusive = second !== undefined
  const keys = after.slice(0, first.length).map((key) => bindAfterKey(key, places, binder))
  const side = first.direction === 'asc' ? 'low' : 'high'
  return (edges: Edges, key: readonly unknown[], values: Values): void => {
    edges[side] = { key: [...key, ...keys.map((read) => read(values))], inclusive }
  }
}
