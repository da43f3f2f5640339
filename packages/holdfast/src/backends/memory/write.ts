import { ConstraintError } from '../../base/errors.ts'
import type { ReferenceAction } from '../../schema/index.ts'
import type { Referrer } from './catalog.ts'
import { identityOf } from './order.ts'
import type { RowChange, Table } from './table.ts'
import { validityOf } from './validity.ts'
import type { StoredRow } from './values.ts'
import type { View } from './view.ts'

/** What one step of a statement did to one table. */
export interface Change {
  readonly table: Table
  readonly rows: readonly RowChange[]
}

/** A key that no longer is where it was; `now` is the row's new key, undefined where the row is gone. */
interface Moved {
  readonly key: unknown
  readonly now: unknown
}

/**
 * Runs one statement's writes: whole, with what follows from foreign keys, or not at all.
 *
 * Foreign keys are judged when everything else is done, so that rows of one statement may refer to each other and no result
 * depends on the order in which rows are visited.
 */
export function writeWhole<T>(view: View, work: (write: Write) => T): T {
  const write = new Write(view)
  try {
    const result = work(write)
    write.settle()
    return result
  } catch (error) {
    write.undo()
    throw error
  }
}

/** The writes of one statement so far. */
export class Write {
  readonly view: View
  readonly #changes: Change[] = []

  constructor(view: View) {
    this.view = view
  }

  /**
   * Makes changes to the rows of a table, all or none.
   *
   * @throws ConflictError
   */
  apply(table: Table, rows: readonly RowChange[]): void {
    if (rows.length === 0) return
    table.apply(rows)
    this.#changes.push({ table, rows })
  }

  /** Takes everything back. */
  undo(): void {
    for (const { table, rows } of this.#changes.reverse()) {
      table.apply(rows.map(({ before, after }) => ({ before: after, after: before })))
    }
  }

  /**
   * Does what foreign keys ask for, however far it leads, and then sees that every reference points to a row.
   *
   * @throws ConstraintError
   */
  settle(): void {
    const pending: (() => void)[] = []
    // Grows while it is read: what a cascade changes may set off another. A row that is gone is not found again, so it ends.
    for (const change of this.#changes) {
      this.#noteReferences(change, pending)
      for (const referrer of this.view.catalog.referrersOf(change.table.definition))
        this.#follow(change, referrer, pending)
    }
    for (const check of pending) check()
  }

  /** Notes that the references which were written must point to rows. */
  #noteReferences({ table, rows }: Change, pending: (() => void)[]): void {
    const { definition } = table
    for (const { column, model: target } of definition.model.foreignKeys) {
      const slot = definition.slotOf(column)
      pending.push(() => {
        for (const { before, after } of rows) {
          const key = after?.[slot] ?? null
          if (after === undefined || key === null || identityOf(before?.[slot]) === identityOf(key)) continue
          if (this.#hasRow(target, key) || !table.has(after)) continue
          throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', definition.model.name, [column])
        }
      })
    }
  }

  #hasRow(model: string, key: unknown): boolean {
    const table = this.view.catalog.find(model)?.model.table
    return table !== undefined && this.view.table(table).get([key]) !== undefined
  }

  /** Carries the loss of keys to the rows that refer to them. */
  #follow({ table, rows }: Change, referrer: Referrer, pending: (() => void)[]): void {
    const { onDelete, onUpdate } = referrer.foreignKey
    const [slot] = table.definition.key as [number]
    this.#lose(
      referrer,
      onDelete,
      movedKeys(rows, slot, (after) => after === undefined),
      pending,
    )
    this.#lose(
      referrer,
      onUpdate,
      movedKeys(rows, slot, (after) => after !== undefined),
      pending,
    )
  }

  #lose(referrer: Referrer, action: ReferenceAction, moved: readonly Moved[], pending: (() => void)[]): void {
    if (moved.length === 0) return
    if (action === 'restrict') pending.push(() => this.#assertNoReferrer(referrer, moved))
    else this.#carry(referrer, moved, action === 'cascade')
  }

  #assertNoReferrer(referrer: Referrer, moved: readonly Moved[]): void {
    const { from, foreignKey } = referrer
    const gone = moved.filter(({ key }) => !this.#hasRow(foreignKey.model, key))
    if (this.#referringRows(referrer, gone).length === 0) return
    throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', from.model.name, [foreignKey.column])
  }

  #carry(referrer: Referrer, moved: readonly Moved[], cascades: boolean): void {
    const { from, slot } = referrer
    const now = new Map(moved.map(({ key, now }) => [identityOf(key), now]))
    const rows = this.#referringRows(referrer, moved).map((before): RowChange => {
      const key = cascades ? now.get(identityOf(before[slot])) : null
      if (key === undefined) return { before, after: undefined }
      const after = before.with(slot, key)
      validityOf(from)(after)
      return { before, after }
    })
    if (rows.length > 0) this.apply(this.view.writable(from.model.table), rows)
  }

  #referringRows({ from, foreignKey }: Referrer, moved: readonly Moved[]): StoredRow[] {
    if (moved.length === 0) return []
    const keys = moved.map(({ key }) => key)
    return this.view.table(from.model.table).rowsWhere(foreignKey.column, keys)
  }
}

function movedKeys(
  rows: readonly RowChange[],
  slot: number,
  counts: (after: StoredRow | undefined) => boolean,
): Moved[] {
  const moved: Moved[] = []
  for (const { before, after } of rows) {
    if (before === undefined || !counts(after)) continue
    const key = before[slot]
    if (identityOf(key) !== identityOf(after?.[slot])) moved.push({ key, now: after?.[slot] })
  }
  return moved
}
