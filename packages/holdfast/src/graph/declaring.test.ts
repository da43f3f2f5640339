import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError } from '../base/errors.ts'
import { defineSchema, graph, t, table } from '../schema/index.ts'
import { openStorage } from '../storage/index.ts'

const thing = z.object({ name: z.string() })

describe('declaring a graph', () => {
  it.each([
    [
      'a relation to a label that is none',
      { nodes: { a: thing }, relations: { to: { from: 'a', to: 'b' } } },
      'names "b"',
    ],
    ['a relation to nothing', { nodes: { a: thing }, relations: { to: { from: [], to: 'a' } } }, 'must name a label'],
    ['no labels', { nodes: {} }, 'must name a label'],
    ['an empty label', { nodes: { '': thing } }, 'cannot be empty'],
    ['a schema that is none', { nodes: { a: {} } }, 'must be a Standard Schema'],
    [
      'data whose schema is none',
      { nodes: { a: thing }, relations: { to: { from: 'a', to: 'a', data: 5 } } },
      'city.relations.to.data must be a Standard Schema',
    ],
  ])('refuses %s', (_, declared, reason) => {
    const define = () => defineSchema({ city: graph(declared as never) })
    expect(define).toThrow(ConfigurationError)
    expect(define).toThrow(reason)
  })

  it('refuses names that are too long, or the same in the database', () => {
    const one = graph({ nodes: { thing } })
    expect(() => defineSchema({ ['x'.repeat(50)]: one })).toThrow('too long for a graph')
    expect(() => defineSchema({ myCity: one, my_city: one })).toThrow('are both my_city in the database')
    expect(() => defineSchema({ ['x'.repeat(48)]: one })).not.toThrow()
  })

  it('refuses an index on what is not a field of a node, and an undeclared graph whose tables another has', async () => {
    const wrong = defineSchema({ city: graph({ nodes: { thing }, indexes: ['name'] }) })
    await expect(openStorage('memory:', { schema: wrong })).rejects.toThrow('names no field name')
    await using storage = await openStorage('memory:', {
      schema: defineSchema({ city: graph({ nodes: { thing } }), x: table({ id: t.id() }) }),
    })
    expect(() => storage.graph('City')).toThrow(ConfigurationError)
    expect(() => storage.graph('')).toThrow(ConfigurationError)
    expect(() => storage.graph('x')).not.toThrow()
  })
})
