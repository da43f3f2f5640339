import { hasHighUnits } from '../../statement/index.ts'
import { compareStored } from './order.ts'
import type { StoredRow } from './values.ts'

/** Whether any text by which a table's rows are ordered has high units; until then texts compare at full speed. */
export class TextNotes {
  highUnits = false

  /** Takes note of a text that is about to be stored. */
  note(text: string): void {
    if (hasHighUnits(text)) this.highUnits = true
  }
}

/** An order of rows, by some of their slots. */
export class KeyOrder {
  readonly slots: readonly number[]
  readonly #notes: TextNotes

  constructor(slots: readonly number[], notes: TextNotes) {
    this.slots = slots
    this.#notes = notes
  }

  /** Reads a row's key. */
  keyOf(row: StoredRow): unknown[] {
    return this.slots.map((slot) => row[slot])
  }

  /** Compares a row with the first `length` values of a key, which stand in the order of the slots. */
  compare(row: StoredRow, key: readonly unknown[], length: number): number {
    const slots = this.slots
    for (let at = 0; at < length; at++) {
      const left = row[slots[at] as number]
      const right = key[at]
      if (left === right) continue
      if (typeof left === 'number' && typeof right === 'number') return left < right ? -1 : 1
      if (typeof left === 'string' && typeof right === 'string' && !this.#notes.highUnits) return left < right ? -1 : 1
      const difference = compareStored(left, right)
      if (difference !== 0) return difference
    }
    return 0
  }

  /** Whether two rows have the same place in this order. */
  isSamePlace(left: StoredRow, right: StoredRow): boolean {
    const slots = this.slots
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] as number
      if (left[slot] !== right[slot] && compareStored(left[slot], right[slot]) !== 0) return false
    }
    return true
  }

  /** How many of `rows`, from `low` on, are below the key; with `orEqual`, or equal to it. They are in order. */
  countBelow(
    rows: readonly StoredRow[],
    low: number,
    key: readonly unknown[],
    length: number,
    orEqual: boolean,
  ): number {
    let from = low
    let to = rows.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const difference = this.compare(rows[middle] as StoredRow, key, length)
      if (difference < 0 || (orEqual && difference === 0)) from = middle + 1
      else to = middle
    }
    return from
  }
}
