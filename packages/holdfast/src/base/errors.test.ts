import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConflictError, ERROR_CODES, HoldfastError, isHoldfastError, NotFoundError, ValidationError } from './errors.ts'

const source = join(import.meta.dirname, '..')
const page = join(source, '../../../docs/errors.md')

describe('the page of error codes', () => {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| `([A-Z_]+)` \| `(\w+)` \|/gm)
  const documented = new Map([...rows].map(([, code, name]) => [code as string, name as string]))

  it('lists every code there is, and no other', () => {
    expect([...documented.keys()].sort()).toEqual([...ERROR_CODES].sort())
  })

  it('lists no code that nothing raises', () => {
    const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('base/errors.ts'))
      .map((name) => readFileSync(join(source, name), 'utf8'))
      .join('\n')
    const raisedByName = new Set(
      [...documented].filter(([, name]) => new RegExp(`new ${name}\\(`).test(code)).map(([key]) => key),
    )
    const silent = ERROR_CODES.filter((key) => !raisedByName.has(key) && !code.includes(`'${key}'`))
    expect(silent).toEqual([])
  })
})

describe('an error', () => {
  it('is recognised across two copies of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('holdfast.error')]: true })
    expect(isHoldfastError(foreign)).toBe(true)
    expect(isHoldfastError(new NotFoundError('users', 1))).toBe(true)
    expect([new Error('x'), null, 'x', {}].some(isHoldfastError)).toBe(false)
  })

  it('keeps its class name, code, hint and cause', () => {
    const cause = new Error('driver')
    const error = new ConflictError('CONFLICT_UNIQUE', 'users', ['email'], cause)
    expect(error).toMatchObject({
      name: 'ConflictError',
      code: 'CONFLICT_UNIQUE',
      retryable: false,
      fields: ['email'],
      cause,
    })
    expect(error).toBeInstanceOf(HoldfastError)
    expect(error.message).toBe('users already has a record with this email.')
    expect(error.hint).toContain('upsert')
    expect(JSON.parse(JSON.stringify(error))).not.toHaveProperty('cause')
  })

  it('of a refused value names every path and reason', () => {
    const error = new ValidationError('A record of users was refused', [
      { path: 'age', reason: 'must be a safe integer' },
      { path: '', reason: 'must be an object' },
    ])
    expect(error.message).toBe('A record of users was refused: age must be a safe integer; must be an object')
    expect(error.toJSON()).toMatchObject({ issues: [{ path: 'age' }, { path: '' }] })
  })

  it('about a key shows bigints and objects', () => {
    expect(new NotFoundError('users', { a: 1n }).message).toContain('{"a":"1n"}')
  })
})
