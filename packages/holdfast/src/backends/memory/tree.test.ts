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
const step = fc.record({
  what: fc.constantFrom('add', 'add', 'add', 'remove', 'replace', 'clone'),
  key: fc.integer({ min: 0, max: 400 }),
  value,
})

describe('a tree', () => {
  it('holds exactly the rows that were added and not removed, in order, both ways', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 800, size: 'max' }), (steps) => {
        const tree = emptyTree(VALUE_THEN_KEY, 0)
        const model = new Map<number, StoredRow>()
        const snapshots: { tree: Tree; rows: StoredRow[] }[] = []
        for (const { what, key, value } of steps) {
          const known = model.get(key)
          if (what === 'add' && known === undefined) {
            const row = [key, value]
            expect(tree.add(row)).toBeUndefined()
            model.set(key, row)
          } else if (what === 'remove' && known !== undefined) {
            tree.remove(known)
            model.delete(key)
          } else if (what === 'replace' && known !== undefined) {
            const row = [...known, 'changed']
            tree.replace(known, row)
            model.set(key, row)
          } else if (what === 'clone') snapshots.push({ tree: tree.clone(), rows: inOrder(model.values()) })
        }
        const rows = inOrder(model.values())
        expect(forward(tree)).toEqual(rows)
        expect(backward(tree)).toEqual(rows.toReversed())
        expect(tree.size).toBe(rows.length)
        for (const snapshot of snapshots) expect(forward(snapshot.tree)).toEqual(snapshot.rows)
      }),
      { numRuns: 150 },
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
