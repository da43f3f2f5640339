import { describe, expect, it } from 'vitest'
import { allOf, compare, equals, field, isNull, outputs } from './builders.ts'

describe('builders of statements', () => {
  it('means a column of the own model by a name, and that of a join by a field', () => {
    expect(equals('id', 2)).toEqual(equals(field('id', 0), 2))
    expect(compare(field('id', 1), 'gt', 2)).toEqual({
      kind: 'compare',
      field: { source: 1, column: 'id', path: [] },
      operator: 'gt',
      operand: { kind: 'parameter', parameter: 2 },
    })
    expect(outputs(['id'], 1)).toEqual([{ kind: 'field', name: 'id', field: field('id', 1) }])
  })

  it('puts no list around a single condition, and no condition where there is none', () => {
    const [one, other] = [isNull('key'), equals('id', 0)]
    expect(allOf([])).toBeUndefined()
    expect(allOf([one])).toBe(one)
    expect(allOf([one, other])).toEqual({ kind: 'and', conditions: [one, other] })
  })
})
