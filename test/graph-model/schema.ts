import { z } from 'zod'
import { defineSchema, graph, t, table } from '../../packages/holdfast/src/index.ts'

export type Fields = Readonly<Record<string, unknown>>

/** A graph with rules, and one that nobody declared. */
export const GRAPHS = ['city', 'free'] as const
export type GraphName = (typeof GRAPHS)[number]

/** Ordinary records that name nodes. */
export const MODELS = ['people', 'posts'] as const
export type Name = (typeof MODELS)[number]

export const LABELS = ['place', 'person', 'thing'] as const
/** What nodes may be labelled: in a graph that nobody declared, anything. */
export const LABELS_OF: Readonly<Record<GraphName, readonly string[]>> = { city: LABELS, free: [...LABELS, 'planet'] }

export const RELATIONS = ['lives', 'road', 'likes'] as const

/** The schema that the runs are done with; `free` is not in it. */
export const schema = defineSchema({
  city: graph({
    nodes: {
      place: z.object({ name: z.string().trim(), size: z.number().default(1) }),
      person: z.object({ name: z.string() }),
      thing: z.looseObject({}),
    },
    relations: {
      lives: { from: 'person', to: 'place' },
      road: { from: 'place', to: 'place', data: z.object({ w: z.number() }) },
      likes: { from: ['place', 'person', 'thing'], to: ['place', 'thing'], data: z.looseObject({}) },
    },
    indexes: ['data.name'],
  }),
  people: table({ id: t.text().primaryKey(), points: t.integer().default(0) }),
  posts: table({ id: t.integer().primaryKey(), author: t.text().nullable(), points: t.integer().default(0) }),
})

/** The labels that a relation takes at its ends. */
export const ENDS: Readonly<
  Record<string, { readonly source: readonly string[]; readonly target: readonly string[] }>
> = {
  lives: { source: ['person'], target: ['place'] },
  road: { source: ['place'], target: ['place'] },
  likes: { source: LABELS, target: ['place', 'thing'] },
}

/** What a schema makes of data; undefined where it does not fit. */
type Fit = (data: Fields | undefined) => Fields | null | undefined

/** What the schemas of the labels make of data. */
export const NODE_DATA: Readonly<Record<string, Fit>> = {
  place: (data) => {
    const { name, size = 1 } = data ?? {}
    return typeof name === 'string' && typeof size === 'number' ? { name: name.trim(), size } : undefined
  },
  person: (data) => (typeof data?.['name'] === 'string' ? { name: data['name'] } : undefined),
  thing: (data) => data,
}

/** What the schemas of the relations make of data; null is none. */
export const EDGE_DATA: Readonly<Record<string, Fit>> = {
  lives: (data) => data ?? null,
  road: (data) => (typeof data?.['w'] === 'number' ? { w: data['w'] } : undefined),
  likes: (data) => data,
}
