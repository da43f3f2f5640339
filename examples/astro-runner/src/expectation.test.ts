import { describe, expect, it } from 'vitest'
import { problemsOf } from './expectation.ts'

function problems(expected: object, answer: object): string[] {
  return problemsOf({ status: 200, ...expected }, { status: 200, text: '', durationMs: 1, ...answer })
}

describe('an answer', () => {
  it('is as expected when status, text and time are', () => {
    expect(problems({ contains: 'b', withinMs: 5 }, { text: 'abc', durationMs: 5 })).toEqual([])
  })

  it('is told all that is wrong with it', () => {
    expect(problems({ contains: 'x', withinMs: 5 }, { status: 404, text: 'abc', durationMs: 6 })).toEqual([
      'the status is 404, expected 200',
      'the body does not contain "x"',
      'it took 6 ms, expected at most 5 ms',
    ])
  })

  it('may hold more JSON members than expected, but no other values', () => {
    const text = JSON.stringify({ id: 1, tags: ['a', 'b'], owner: { name: 'kim', age: 3 } })
    expect(problems({ json: { id: 1, owner: { name: 'kim' }, tags: ['a', 'b'] } }, { text })).toEqual([])
    expect(problems({ json: { id: '1', owner: { name: 'lee' }, tags: ['a'], price: null } }, { text })).toEqual([
      'body.id is 1, expected "1"',
      'body.owner.name is "kim", expected "lee"',
      'body.tags is ["a","b"], expected ["a"]',
      'body.price is missing, expected null',
    ])
  })

  it('that is not JSON matches none', () => {
    expect(problems({ json: {} }, { text: '<html>' })).toEqual(['the body is not JSON'])
  })

  it('is described in text that every database can hold', () => {
    const [problem] = problems({ json: 'a' }, { text: JSON.stringify(`\0\ud800${'😀'.repeat(60)}`) })
    expect(problem).toMatch(/^body is "\\u0000\\ud800😀+/)
    expect(problem?.isWellFormed()).toBe(true)
    expect(problem?.length).toBeLessThan(120)
  })
})
