import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cursor } from './cursor.ts'
import { KeyOrder, TextNotes } from './key-order.ts'
import { compareStored } from './order.ts'
import { Tree } from './tree.ts'
import type { StoredRow } from './values.ts'

/** Rows of a value that may repeat and a key that does not, ordered by both. */
const VALUE_THEN_KEY = [1, 0]

/** A tree whose texts may hold anything. */
function emptyTree(slots: readonly number[], unique: number): Tree {
  const notes = new TextNotes()
  notes.note('\u{1F600}')
  return new Tree(new KeyOrder(slots, notes), unique)
}

function treeOf(rows: readonly StoredRow[]): Tree {
  const tree = emptyTree(VALUE_THEN_KEY, 0)
  for (const row of rows) tree.add(row)
  return tree
}

function forward(tree: Tree): StoredRow[] {
  const rows: StoredRow[] = []
  const cursor = new Cursor(tree, [], 0, false)
  for (let row = cursor.next(); row !== undefined; row = cursor.next()) rows.push(row)
  return rows
}

function backward(tree: Tree): StoredRow[] {
  const rows: StoredRow[] = []
  const cursor = new Cursor(tree, [], 0, true)
  for (let row = cursor.previous(); row !== undefined; row = cursor.previous()) rows.push(row)
  return rows
}

function inOrder(rows: Iterable<StoredRow>): StoredRow[] {
  return [...rows].sort((a, b) => compareStored(a[1], b[1]) || compareStored(a[0], b[0]))
}

const value = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom('a', 'b', '\u{1F600}', '\uFB01', null, true))
/** Something done to several keys that follow each other, as batches are. */
const step = fc.record({
  what: fc.constantFrom('add', 'add', 'add', 'remove', 'remove', 'replace', 'find', 'clone'),
  from: fc.integer({ min: 0, max: 1500 }),
  count: fc.integer({ min: 1, max: 120 }),
  value,
})

describe('a tree', () => {
  it('holds exactly the rows that were added and not removed, in order, both ways', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        let tree = emptyTree(VALUE_THEN_KEY, 0)
        const model = new Map<number, StoredRow>()
        const others: { tree: Tree; rows: StoredRow[] }[] = []
        for (const { what, from, count, value } of steps) {
          if (what === 'clone') {
            const copy = tree.clone()
            others.push({ tree: count % 2 === 0 ? copy : tree, rows: inOrder(model.values()) })
            if (count % 2 !== 0) tree = copy
            continue
          }
          for (let key = from; key < from + count; key++) {
            const known = model.get(key)
            if (what === 'add' && known === undefined) {
              const row = [key, value]
              expect(tree.add(row)).toBeUndefined()
              model.set(key, row)
            } else if (known === undefined) expect(tree.find([value, key], 2)).toBeUndefined()
            else if (what === 'find') expect(tree.find([known[1], key], 2)).toBe(known)
            else if (what === 'add') expect(tree.add([key, known[1]])).toBe(known)
            else if (what === 'remove') {
              tree.remove(known)
              model.delete(key)
            } else {
              const row = [...known, 'changed']
              tree.replace(known, row)
              model.set(key, row)
            }
          }
        }
        const rows = inOrder(model.values())
        expect(forward(tree)).toEqual(rows)
        expect(backward(tree)).toEqual(rows.toReversed())
        expect(tree.size).toBe(rows.length)
        for (const other of others) expect(forward(other.tree)).toEqual(other.rows)
      }),
      { numRuns: 60 },
    )
  })

  it('loses no row while blocks of thousands come and go', () => {
    const block = fc.record({
      adds: fc.boolean(),
      from: fc.integer({ min: 0, max: 24_000 }),
      count: fc.integer({ min: 1, max: 4000 }),
      stride: fc.constantFrom(1, 2, 3, 64),
    })
    fc.assert(
      fc.property(fc.array(block, { minLength: 20, maxLength: 120, size: 'max' }), (blocks) => {
        const tree = emptyTree([0], 1)
        const model: (StoredRow | undefined)[] = Array.from({ length: 20_000 }, (_, key) =>
          key % 2 === 0 ? [key] : undefined,
        )
        for (const row of model) if (row !== undefined) tree.add(row)
        for (const { adds, from, count, stride } of blocks) {
          for (let key = from; key < Math.min(from + count, 20_000); key += stride) {
            const known = model[key]
            if (adds && known === undefined) {
              const row = [key]
              model[key] = row
              tree.add(row)
            } else if (!adds && known !== undefined) {
              model[key] = undefined
              tree.remove(known)
            }
          }
        }
        const rows = model.filter((row) => row !== undefined)
        const lost = rows.filter((row) => tree.find([row[0]], 1) !== row)
        expect(lost).toEqual([])
        expect(forward(tree).every((row, at) => row === rows[at])).toBe(true)
        expect(tree.size).toBe(rows.length)
      }),
      { numRuns: 30 },
    )
  })

  it('stands before or after any key, whether or not a row has it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { maxLength: 600, size: 'max' }),
        fc.integer({ min: 0, max: 40 }),
        (keys, wanted) => {
          const rows = keys.map((key): StoredRow => [key, key % 40])
          const tree = treeOf(rows)
          const atLeast = inOrder(rows).find((row) => (row[1] as number) >= wanted)
          const above = inOrder(rows).find((row) => (row[1] as number) > wanted)
          expect(new Cursor(tree, [wanted], 1, false).next()).toBe(atLeast)
          expect(new Cursor(tree, [wanted], 1, true).next()).toBe(above)
          expect(tree.find([wanted], 1)).toBe(atLeast?.[1] === wanted ? atLeast : undefined)
        },
      ),
    )
  })

  it('stays in order while thousands of rows come in order and leave in order', () => {
    const tree = emptyTree([0], 1)
    const rows = Array.from({ length: 20_000 }, (_, key): StoredRow => [key])
    for (const row of rows) tree.add(row)
    for (const row of rows.slice(0, 15_000)) tree.remove(row)
    expect(forward(tree)).toEqual(rows.slice(15_000))
    for (const row of rows.slice(15_000).toReversed()) tree.remove(row)
    expect(forward(tree)).toEqual([])
    expect(tree.size).toBe(0)
  })

  it('changes neither side of a clone when the other is written to', () => {
    const rows = Array.from({ length: 3000 }, (_, key): StoredRow => [key, key % 7])
    const left = treeOf(rows)
    const right = left.clone()
    for (const row of rows) if ((row[0] as number) % 2 === 0) left.remove(row)
    for (const row of rows) if ((row[0] as number) % 3 === 0) right.remove(row)
    expect(forward(left)).toEqual(inOrder(rows.filter(([key]) => (key as number) % 2 !== 0)))
    expect(forward(right)).toEqual(inOrder(rows.filter(([key]) => (key as number) % 3 !== 0)))
  })

  it('refuses a second row with the same unique values, and lets nulls be', () => {
    const tree = emptyTree(VALUE_THEN_KEY, 1)
    const first = [1, 'a']
    expect(tree.add(first)).toBeUndefined()
    expect(tree.add([2, 'a'])).toBe(first)
    expect(tree.add([2, null])).toBeUndefined()
    expect(tree.add([3, null])).toBeUndefined()
    expect(tree.size).toBe(3)
  })
})
