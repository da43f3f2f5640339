import type { Join, JoinAccess } from '../../statement/index.ts'
import type { Definition } from './definition.ts'
import { compareStored, identityOfAll } from './order.ts'
import { type Places, readerOf } from './predicate.ts'
import { RangeRows } from './range.ts'
import { drain, type Rows } from './rows.ts'
import type { Table } from './table.ts'
import type { StoredRow } from './values.ts'
import type { View } from './view.ts'

/** Puts the rows of one more table beside rows: each becomes as many as it has partners. */
export type Joining = (rows: Rows, view: View) => Rows

/** Finds the partners of a row. */
type Partners = (row: StoredRow) => readonly StoredRow[]

/** Makes a join ready: partners are looked up by an index where one fits, else in a map of all rows that is made once. */
export function compileJoin({ kind }: Join, access: JoinAccess, definition: Definition, places: Places): Joining {
  const absent: readonly StoredRow[] = kind === 'left' ? [new Array<unknown>(definition.width).fill(null)] : []
  const partnersIn =
    access.kind === 'scan' ? compileMapped(access, definition, places) : compileLookup(access, definition, places)
  return (rows, view) => new JoinedRows(rows, partnersIn(view.table(definition.model.table)), absent)
}

class JoinedRows implements Rows {
  readonly #rows: Rows
  readonly #partners: Partners
  /** What stands beside a row without partners; nothing for an inner join. */
  readonly #absent: readonly StoredRow[]
  #row: StoredRow = []
  #found: readonly StoredRow[] = []
  #at = 0

  constructor(rows: Rows, partners: Partners, absent: readonly StoredRow[]) {
    this.#rows = rows
    this.#partners = partners
    this.#absent = absent
  }

  next(): StoredRow | undefined {
    while (this.#at >= this.#found.length) {
      const row = this.#rows.next()
      if (row === undefined) return undefined
      const partners = this.#partners(row)
      this.#row = row
      this.#found = partners.length === 0 ? this.#absent : partners
      this.#at = 0
    }
    return [...this.#row, ...(this.#found[this.#at++] as StoredRow)]
  }
}

function compileLookup(access: JoinAccess, definition: Definition, places: Places): (table: Table) => Partners {
  const here = access.pairs.map(([field]) => readerOf(places(field)))
  const rest = access.rest.map(([field, there]) => ({
    here: readerOf(places(field)),
    there: readerOf(definition.placeOf(there)),
  }))
  return (table) => {
    const tree = table.tree(access.index)
    return (row) => {
      const key = here.map((read) => read(row))
      if (!joinable(key)) return []
      const edge = { key, inclusive: true }
      const found = drain(new RangeRows(tree, edge, edge, 'asc'))
      return rest.length === 0
        ? found
        : found.filter((other) => rest.every((pair) => isEqual(pair.here(row), pair.there(other))))
    }
  }
}

function compileMapped(access: JoinAccess, definition: Definition, places: Places): (table: Table) => Partners {
  const here = access.rest.map(([field]) => readerOf(places(field)))
  const there = access.rest.map(([, field]) => readerOf(definition.placeOf(field)))
  return (table) => {
    const partners = new Map<unknown, StoredRow[]>()
    for (const other of drain(table.all())) {
      const key = there.map((read) => read(other))
      if (!joinable(key)) continue
      const identity = identityOfAll(key)
      const known = partners.get(identity)
      if (known === undefined) partners.set(identity, [other])
      else known.push(other)
    }
    return (row) => {
      const key = here.map((read) => read(row))
      return joinable(key) ? (partners.get(identityOfAll(key)) ?? []) : []
    }
  }
}

/** Null is equal to nothing, and lists and objects have no equality. */
function joinable(key: readonly unknown[]): boolean {
  return key.every((value) => value !== null && (typeof value !== 'object' || value instanceof Uint8Array))
}

function isEqual(left: unknown, right: unknown): boolean {
  return joinable([left, right]) && compareStored(left, right) === 0
}
