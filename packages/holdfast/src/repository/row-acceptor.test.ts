import { describe, expect, it } from 'vitest'
import type { Issue } from '../base/errors.ts'
import { resolveModel, t, table } from '../schema/index.ts'
import { rowAcceptor } from './row-acceptor.ts'

const clock = { now: () => 7 }

function accepting(columns: Parameters<typeof table>[0], options: { readonly versioned?: true } = {}) {
  const accept = rowAcceptor(resolveModel('rows', table(columns, options)))
  return (input: Record<string, unknown>) => {
    const [issues, values]: [Issue[], unknown[]] = [[], []]
    return { record: accept(input, clock, issues, values), values, paths: issues.map(({ path }) => path) }
  }
}

describe('the acceptor of a row', () => {
  it('gives the columns in their order, with what was left out filled in', () => {
    const accept = accepting({
      id: t.integer().primaryKey().generated(),
      name: t.text(),
      at: t.timestamp().defaultNow(),
      note: t.text().nullable(),
      tries: t.integer().default(() => 3),
    })
    const { record, values, paths } = accept({ note: undefined, name: 'a' })
    expect(Object.entries(record)).toEqual([
      ['id', undefined],
      ['name', 'a'],
      ['at', new Date(7)],
      ['note', null],
      ['tries', 3],
    ])
    expect([values, paths]).toEqual([['a', new Date(7), null, 3], []])
    expect(accept({ id: 5, name: 'a' }).values).toEqual([5, 'a', new Date(7), null, 3])
  })

  it('reads each member once, so that all that is checked is what is stored', () => {
    let asked = 0
    const input = {
      id: 1,
      get name() {
        return asked++ === 0 ? 'first' : 5
      },
    }
    const { record, values, paths } = accepting({ id: t.integer().primaryKey(), name: t.text() })(input)
    expect([record, values, paths, asked]).toEqual([{ id: 1, name: 'first' }, [1, 'first'], [], 1])
  })

  it('names what is wrong, missing, unknown or not for callers to give', () => {
    const accept = accepting({ id: t.integer().primaryKey(), name: t.text(), at: t.timestamp() }, { versioned: true })
    const { paths } = accept({ id: 'x', name: null, version: 3, other: undefined })
    expect(paths).toEqual(['version', 'id', 'name', 'at', 'other'])
  })

  it('takes any name for the name of a column', () => {
    const names = ['a"b', '\\', '\u2028', "']; throw 1; ['", '${0}', '`']
    const columns = Object.fromEntries(names.map((name) => [name, t.integer().nullable()]))
    const accept = rowAcceptor(resolveModel('odd', table({ id: t.integer().primaryKey(), ...columns })))
    const input = { id: 0, ...Object.fromEntries(names.map((name, at) => [name, at])) }
    const values: unknown[] = []
    expect(accept(input, clock, [], values)).toEqual(input)
    expect(values).toEqual([0, ...names.map((_, at) => at)])
  })
})
