import type { Values } from './binder.ts'
import type { Predicate } from './predicate.ts'
import type { StoredRow } from './values.ts'

/** Rows that are read one after the other, as far as somebody wants them. */
export interface Rows {
  /** The next row; undefined when there are no more. */
  next(): StoredRow | undefined
}

/** Reads all rows. */
export function drain(rows: Rows): StoredRow[] {
  const list: StoredRow[] = []
  for (let row = rows.next(); row !== undefined; row = rows.next()) list.push(row)
  return list
}

/** Rows of a list. */
export class ListedRows implements Rows {
  readonly #rows: readonly StoredRow[]
  #at = 0

  constructor(rows: readonly StoredRow[]) {
    this.#rows = rows
  }

  next(): StoredRow | undefined {
    return this.#rows[this.#at++]
  }
}

/** The rows that meet a condition. */
export class FilteredRows implements Rows {
  readonly #rows: Rows
  readonly #passes: Predicate
  readonly #values: Values

  constructor(rows: Rows, passes: Predicate, values: Values) {
    this.#rows = rows
    this.#passes = passes
    this.#values = values
  }

  next(): StoredRow | undefined {
    for (let row = this.#rows.next(); row !== undefined; row = this.#rows.next()) {
      if (this.#passes(row, this.#values)) return row
    }
    return undefined
  }
}

/** Some rows, after others were passed over. */
export class SlicedRows implements Rows {
  readonly #rows: Rows
  #offset: number
  #left: number

  constructor(rows: Rows, offset: number, limit: number) {
    this.#rows = rows
    this.#offset = offset
    this.#left = limit
  }

  next(): StoredRow | undefined {
    if (this.#left <= 0) return undefined
    for (; this.#offset > 0; this.#offset--) if (this.#rows.next() === undefined) return undefined
    this.#left--
    return this.#rows.next()
  }
}
