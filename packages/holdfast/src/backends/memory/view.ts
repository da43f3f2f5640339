import { StorageError } from '../../base/errors.ts'
import type { Catalog } from './catalog.ts'
import type { Table } from './table.ts'

/** Tables as somebody sees them. */
export interface View {
  readonly catalog: Catalog
  /** A table to read. */
  table(name: string): Table
  /** A table to write to. */
  writable(name: string): Table
}

/** Tables as a transaction sees them. */
export interface TransactionView extends View {
  /** Puts another table in the place of one, or takes it away. */
  replace(catalog: Catalog, name: string, table: Table | null): void
  /** Remembers the present state; the function that is given back returns to it. */
  savepoint(): () => void
}

/** What is committed. It is written to in place, by whoever holds the write lock. */
export class Committed implements View {
  catalog: Catalog
  readonly #tables = new Map<string, Table>()

  constructor(catalog: Catalog) {
    this.catalog = catalog
  }

  table(name: string): Table {
    return this.#tables.get(name) as Table
  }

  writable(name: string): Table {
    return this.table(name)
  }

  /** Takes over what a transaction changed, all at once. */
  commit({ catalog, changed }: Draft): void {
    this.catalog = catalog
    for (const [name, table] of changed) this.#put(name, table)
  }

  #put(name: string, table: Table | null): void {
    if (table === null) this.#tables.delete(name)
    else this.#tables.set(name, table)
  }
}

/** Some tables as they are now, whatever is written later; to be read only. */
export class Snapshot implements TransactionView {
  readonly catalog: Catalog
  readonly #tables: ReadonlyMap<string, Table>

  constructor(view: View, names: readonly string[]) {
    this.catalog = view.catalog
    this.#tables = new Map(names.map((name) => [name, view.table(name).clone()]))
  }

  table(name: string): Table {
    return this.#tables.get(name) as Table
  }

  /** @throws StorageError, code `READ_ONLY`. */
  writable(): never {
    throw new StorageError('READ_ONLY', 'This transaction is read-only.', {
      hint: 'Open it without readOnly to write.',
    })
  }

  /** @throws StorageError, code `READ_ONLY`. */
  replace(): never {
    return this.writable()
  }

  savepoint(): () => void {
    return () => undefined
  }
}

/** What a transaction sees: what is committed, but for the tables it wrote to, which it has as copies of its own. */
export class Draft implements TransactionView {
  catalog: Catalog
  /** The tables that were written to, by name; null for those that were dropped. */
  changed: Map<string, Table | null> = new Map()
  readonly #committed: View

  constructor(committed: View) {
    this.#committed = committed
    this.catalog = committed.catalog
  }

  table(name: string): Table {
    return this.changed.get(name) ?? this.#committed.table(name)
  }

  writable(name: string): Table {
    const own = this.changed.get(name)
    if (own) return own
    const copy = this.#committed.table(name).clone()
    this.changed.set(name, copy)
    return copy
  }

  replace(catalog: Catalog, name: string, table: Table | null): void {
    this.catalog = catalog
    this.changed.set(name, table)
  }

  savepoint(): () => void {
    const { catalog } = this
    const changed = new Map([...this.changed].map(([name, table]) => [name, table?.clone() ?? null]))
    return () => {
      this.catalog = catalog
      this.changed = changed
    }
  }
}
