import { ConflictError, ConstraintError } from '../../base/errors.ts'
import type { ModelIndex } from '../../schema/index.ts'
import type { Definition } from './definition.ts'
import { KeyOrder, TextNotes } from './key-order.ts'
import { identityOf } from './order.ts'
import { type Edge, RangeRows } from './range.ts'
import { drain, type Rows } from './rows.ts'
import { Tree } from './tree.ts'
import type { StoredRow } from './values.ts'

/** One row's part in a write: inserted (no `before`), deleted (no `after`) or changed. */
export interface RowChange {
  readonly before: StoredRow | undefined
  readonly after: StoredRow | undefined
}

const WHOLE: Edge = { key: [], inclusive: true }

/** The rows of a table, in the order of its primary key and of each of its indexes. */
export class Table {
  readonly definition: Definition
  /** By primary key. */
  readonly rows: Tree
  /** By index; the first is the primary key's. */
  readonly #trees: readonly Tree[]
  readonly #notes: TextNotes
  /** The greatest generated key that was ever given or made. */
  #greatestKey: number

  constructor(definition: Definition, from?: Table) {
    this.definition = definition
    this.#notes = from === undefined ? new TextNotes() : from.#notes
    this.#trees = from === undefined ? emptyTrees(definition, this.#notes) : from.#trees.map((tree) => tree.clone())
    this.#greatestKey = from === undefined ? 0 : from.#greatestKey
    this.rows = this.#trees[0] as Tree
  }

  /** The same rows, to be changed apart. It costs the same whatever their number. */
  clone(): Table {
    return new Table(this.definition, this)
  }

  /**
   * The same rows in a table that is defined otherwise.
   *
   * @param convert gives the columns of a row there.
   * @throws ConflictError where two rows collide in a unique index.
   */
  withDefinition(definition: Definition, convert: (row: StoredRow) => unknown[] = (row) => [...row]): Table {
    const table = new Table(definition)
    const changes: RowChange[] = []
    for (const row of drain(this.all())) {
      const after = convert(row).slice(0, definition.model.columns.length)
      definition.complete(after)
      changes.push({ before: undefined, after })
    }
    table.apply(changes)
    table.#greatestKey = this.#greatestKey
    return table
  }

  /** The rows in the order of an index, or of the primary key for null. */
  tree(index: string | null): Tree {
    if (index === null) return this.rows
    return this.#trees[this.definition.model.indexes.findIndex(({ name }) => name === index) + 1] as Tree
  }

  /** All rows, by primary key. */
  all(): Rows {
    return new RangeRows(this.rows, WHOLE, WHOLE, 'asc')
  }

  /** The row with this primary key. */
  get(key: readonly unknown[]): StoredRow | undefined {
    return this.rows.find(key, key.length)
  }

  /** Whether exactly this row is stored. */
  has(row: StoredRow): boolean {
    return this.get(this.definition.key.map((slot) => row[slot])) === row
  }

  /** The rows where a column is one of these values: by an index that begins with it, else by looking at every row. */
  rowsWhere(column: string, values: readonly unknown[]): StoredRow[] {
    const slot = this.definition.slotOf(column)
    const tree = this.#trees.find((one) => one.order.slots[0] === slot && one.isWholeWithout(slot))
    if (tree === undefined) {
      const wanted = new Set(values.map(identityOf))
      return drain(this.all()).filter((row) => wanted.has(identityOf(row[slot])))
    }
    return values.flatMap((value) => {
      const edge = { key: [value], inclusive: true }
      return drain(new RangeRows(tree, edge, edge, 'asc'))
    })
  }

  /**
   * The key that an insert without one is given: one above the greatest ever given or made, so that none is used twice.
   *
   * @throws ConstraintError when there is none left.
   */
  nextKey(): number {
    if (this.#greatestKey < Number.MAX_SAFE_INTEGER) return ++this.#greatestKey
    throw new ConstraintError('CONSTRAINT_CHECK', this.definition.model.name, this.definition.fieldNames(undefined))
  }

  /**
   * Makes changes, all or none. Rows may swap their unique values: collisions are looked for when all old rows are gone.
   *
   * @throws ConflictError
   */
  apply(changes: readonly RowChange[]): void {
    const trees = this.#trees
    for (const { before, after } of changes) {
      if (before === undefined) continue
      for (const tree of trees) {
        if (!tree.holds(before)) continue
        if (after !== undefined && staysIn(tree, before, after)) tree.replace(before, after)
        else tree.remove(before)
      }
    }
    for (let index = 0; index < changes.length; index++) {
      const { before, after } = changes[index] as RowChange
      if (after === undefined) continue
      this.#note(before, after)
      for (let at = 0; at < trees.length; at++) {
        const tree = trees[at] as Tree
        if (!tree.holds(after) || (before !== undefined && staysIn(tree, before, after))) continue
        if (tree.add(after) === undefined) continue
        this.#takeBack(changes, index, at)
        throw new ConflictError('CONFLICT_UNIQUE', this.definition.model.name, this.#fieldsOf(at))
      }
      if (this.definition.generated !== -1) this.#noteKey(after[this.definition.generated] as number)
    }
  }

  /** Undoes `apply` as far as it came: to the tree `at` for the change `index`. */
  #takeBack(changes: readonly RowChange[], index: number, at: number): void {
    for (const [made, { before, after }] of changes.slice(0, index + 1).entries()) {
      if (after === undefined) continue
      for (const tree of made === index ? this.#trees.slice(0, at) : this.#trees) {
        if (tree.holds(after) && (before === undefined || !staysIn(tree, before, after))) tree.remove(after)
      }
    }
    for (const { before, after } of changes) {
      if (before === undefined) continue
      for (const tree of this.#trees) {
        if (!tree.holds(before)) continue
        if (after !== undefined && staysIn(tree, before, after)) tree.replace(after, before)
        else tree.add(before)
      }
    }
  }

  /** Takes note of the texts by which a new row will be ordered. */
  #note(before: StoredRow | undefined, after: StoredRow): void {
    for (const slot of this.definition.textSlots) {
      const text = after[slot]
      if (typeof text === 'string' && before?.[slot] !== text) this.#notes.note(text)
    }
  }

  #fieldsOf(tree: number): string[] {
    return this.definition.fieldNames(tree === 0 ? undefined : (this.definition.model.indexes[tree - 1] as ModelIndex))
  }

  #noteKey(key: number): void {
    if (key > this.#greatestKey) this.#greatestKey = key
  }
}

/** Whether a changed row is where it was; given that it was there before. */
function staysIn(tree: Tree, before: StoredRow, after: StoredRow): boolean {
  return tree.holds(before) && tree.holds(after) && tree.order.isSamePlace(before, after)
}

function emptyTrees(definition: Definition, notes: TextNotes): Tree[] {
  const { model, key } = definition
  const indexes = model.indexes.map((index) => {
    const sparse = (index.sparse ?? []).map((column) => definition.slotOf(column))
    return new Tree(new KeyOrder(definition.slotsOf(index), notes), index.unique ? index.fields.length : 0, sparse)
  })
  return [new Tree(new KeyOrder(key, notes), key.length), ...indexes]
}
