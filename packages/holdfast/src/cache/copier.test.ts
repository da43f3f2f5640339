import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copierFor, copyByLevel } from './copier.ts'

/** Every object and list in a value. */
function partsOf(value: unknown, into: Set<unknown> = new Set()): Set<unknown> {
  if (typeof value !== 'object' || value === null) return into
  into.add(value)
  for (const member of Object.values(value)) partsOf(member, into)
  return into
}

function assertCopy(copy: unknown, value: unknown): void {
  expect(copy).toStrictEqual(value)
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
  expect(partsOf(copy).isDisjointFrom(partsOf(value))).toBe(true)
}

const json = fc.jsonValue({ maxDepth: 8 }).map((value) => JSON.parse(JSON.stringify([value])) as unknown[])

describe('a copy of a cached value', () => {
  it('is the same and shares nothing, whatever its shape', () => {
    fc.assert(
      fc.property(json, (list) => {
        for (const value of [list, { list, other: list[0] ?? null }]) {
          assertCopy(copierFor(value)(value), value)
          assertCopy(copyByLevel(value), value)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('is made of another value that looks the same, and of names that look like code', () => {
    const name = 'a"] , x: `${1}`\u2028\n\\'
    const [one, two] = [1, 2].map((n) => ({ [name]: { n, list: [n], deep: [{ n }] }, 7: n, constructor: null }))
    const copier = copierFor(one as object)
    assertCopy(copier(two), two)
    expect(copierFor(two as object)).toBe(copier)
    const polluting = JSON.parse('{ "__proto__": { "admin": true }, "a": 1 }') as object
    assertCopy(copierFor(polluting)(polluting), polluting)
  })

  it('is made step by step where values have too many members, levels or shapes to be worth more', () => {
    const wide = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, n]))
    const deep = { a: { b: { c: { d: { e: { f: { g: { h: 1 } } } } } } } }
    for (const value of [wide, deep]) {
      expect(copierFor(value)).toBe(copyByLevel)
      assertCopy(copierFor(value)(value), value)
    }
    for (let n = 0; n < 600; n++) copierFor({ [`shape ${n}`]: {} })
    expect(copierFor({ late: {} })).toBe(copyByLevel)
  })
})
