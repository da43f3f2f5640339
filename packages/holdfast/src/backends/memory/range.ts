import type { Direction } from '../../statement/index.ts'
import { Cursor } from './cursor.ts'
import type { Rows } from './rows.ts'
import type { Tree } from './tree.ts'
import type { StoredRow } from './values.ts'

/** One end of a range: a key's first values, in the order of a tree's slots. */
export interface Edge {
  readonly key: readonly unknown[]
  /** Whether rows with exactly these values belong to the range. */
  readonly inclusive: boolean
}

/** The rows of a range of a tree, in one direction. */
export class RangeRows implements Rows {
  readonly #tree: Tree
  readonly #cursor: Cursor
  readonly #backward: boolean
  readonly #end: Edge
  #done = false

  constructor(tree: Tree, low: Edge, high: Edge, direction: Direction) {
    this.#tree = tree
    this.#backward = direction === 'desc'
    this.#end = this.#backward ? low : high
    this.#cursor = this.#backward
      ? new Cursor(tree, high.key, high.key.length, high.inclusive)
      : new Cursor(tree, low.key, low.key.length, !low.inclusive)
  }

  next(): StoredRow | undefined {
    if (this.#done) return undefined
    const row = this.#backward ? this.#cursor.previous() : this.#cursor.next()
    if (row !== undefined && this.#isInside(row)) return row
    this.#done = true
    return undefined
  }

  #isInside(row: StoredRow): boolean {
    const { key, inclusive } = this.#end
    const difference = this.#tree.order.compare(row, key, key.length)
    return difference === 0 ? inclusive : this.#backward === difference > 0
  }
}

/** A part of an ordering that runs in one direction. */
export interface Run {
  readonly direction: Direction
  /** The number of fields it has. */
  readonly length: number
}

/**
 * The rows of a range in an order that changes direction between fields, such as the newest first and ties by id: reads
 * the groups of the first run in its direction, and each group by the other runs. A group costs one search.
 */
class GroupedRows implements Rows {
  readonly #tree: Tree
  readonly #pinned: number
  readonly #run: Run
  readonly #others: readonly Run[]
  #low: Edge
  #high: Edge
  #group: Rows | undefined

  /** `pinned`: how many values all rows of the range share. */
  constructor(tree: Tree, low: Edge, high: Edge, pinned: number, runs: readonly [Run, ...Run[]]) {
    this.#tree = tree
    this.#low = low
    this.#high = high
    this.#pinned = pinned
    ;[this.#run, ...this.#others] = runs
  }

  next(): StoredRow | undefined {
    for (;;) {
      const row = this.#group?.next()
      if (row !== undefined) return row
      const first = new RangeRows(this.#tree, this.#low, this.#high, this.#run.direction).next()
      if (first === undefined) return undefined
      this.#enter(first)
    }
  }

  #enter(row: StoredRow): void {
    const fixed = this.#pinned + this.#run.length
    const key = this.#tree.order.keyOf(row).slice(0, fixed)
    const group = { key, inclusive: true }
    this.#group = orderedRows(this.#tree, group, group, fixed, this.#others)
    const beyond = { key, inclusive: false }
    if (this.#run.direction === 'asc') this.#low = beyond
    else this.#high = beyond
  }
}

/** The rows of a range in the order of these runs; what they leave open comes in the direction of the last. */
export function orderedRows(tree: Tree, low: Edge, high: Edge, pinned: number, runs: readonly Run[]): Rows {
  const [first, second] = runs
  return first === undefined || second === undefined
    ? new RangeRows(tree, low, high, first?.direction ?? 'asc')
    : new GroupedRows(tree, low, high, pinned, runs as readonly [Run, ...Run[]])
}
