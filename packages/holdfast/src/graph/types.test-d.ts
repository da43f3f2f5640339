// Type tests: `tsc`, which `npm test` runs first, is what checks them.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineSchema, documents, graph, type ModelName } from '../schema/index.ts'
import type { Storage } from '../storage/index.ts'
import type { GraphEdge, GraphNode, UntypedGraph } from './types.ts'

const schema = defineSchema({
  notes: documents<{ text: string }>(),
  city: graph({
    nodes: {
      venue: z.object({ name: z.string(), seats: z.number().default(0) }),
      event: z.object({ title: z.string() }),
    },
    relations: {
      hosts: { from: 'venue', to: 'event', data: z.object({ hall: z.string() }) },
      near: { from: ['venue', 'event'], to: 'venue' },
    },
  }),
})

declare const storage: Storage<typeof schema>

test('a graph is no model', () => {
  expectTypeOf<ModelName<typeof schema>>().toEqualTypeOf<'notes'>()
})

test('nodes have the data of their label, read and given', () => {
  const city = storage.graph('city')
  expectTypeOf(city.addNode('venue', { name: 'x' })).resolves.toEqualTypeOf<{
    id: string
    label: 'venue'
    data: { name: string; seats: number }
    createdAt: Date
    updatedAt: Date
  }>()
  const node = null as unknown as NonNullable<Awaited<ReturnType<typeof city.getNode>>>
  expectTypeOf(node.label).toEqualTypeOf<'venue' | 'event'>()
  if (node.label === 'event') expectTypeOf(node.data).toEqualTypeOf<{ title: string }>()
  expectTypeOf(city.neighbors('x', { label: 'event' })).resolves.toHaveProperty('items')
  // @ts-expect-error pub is no label
  void (() => city.addNode('pub', { name: 'x' }))
  // @ts-expect-error name is a text
  void (() => city.addNode('venue', { name: 1 }))
  void (() => city.updateNode<'venue'>('x', { seats: 1, name: undefined }))
  // @ts-expect-error size is no member
  void (() => city.updateNode<'venue'>('x', { size: 1 }))
})

test('edges carry what their relation says', () => {
  const city = storage.graph('city')
  void (() => city.connect('v', 'near', 'w'))
  void (() => city.connect('v', 'hosts', 'e', { hall: 'big' }))
  // @ts-expect-error hosts carries data
  void (() => city.connect('v', 'hosts', 'e'))
  void (() => city.connect('v', 'near', 'e', { any: 'thing' }))
  // @ts-expect-error likes is no relation
  void (() => city.connect('v', 'likes', 'e'))
  void (() =>
    city.connectMany([
      { source: 'v', relation: 'near', target: 'w' },
      { source: 'v', relation: 'hosts', target: 'e', data: { hall: 'big' } },
    ]))
  // @ts-expect-error hosts carries data
  void (() => city.connectMany([{ source: 'v', relation: 'hosts', target: 'e' }]))
  expectTypeOf(city.connect('v', 'near', 'w'))
    .resolves.toHaveProperty('data')
    .toEqualTypeOf<Record<string, unknown> | null>()
})

test('an undeclared graph takes anything', () => {
  expectTypeOf(storage.graph().getNode('x')).resolves.toEqualTypeOf<GraphNode<UntypedGraph> | null>()
  expectTypeOf<GraphNode['data']>().toEqualTypeOf<Record<string, unknown>>()
  expectTypeOf<GraphEdge['data']>().toEqualTypeOf<Record<string, unknown> | null>()
  void (() => storage.graph('other').connect('a', 'any', 'b', { n: 1 }))
  void (() => storage.graph().connect('a', 'any', 'b'))
})

test('conditions on edges take several relations', () => {
  void (() => storage.graph('city').edges({ where: { relation: { in: ['hosts', 'near'] }, 'data.hall': 'big' } }))
  // @ts-expect-error likes is no relation
  void (() => storage.graph('city').edges({ where: { relation: 'likes' } }))
})
