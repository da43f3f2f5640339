import type { Fields } from './schema.ts'

/** A node as it is read. */
export interface Node extends Fields {
  readonly id: string
  readonly label: string
  readonly data: Fields
}

/** An edge as it is read. */
export interface Edge extends Fields {
  readonly id: string
  readonly source: string
  readonly relation: string
  readonly target: string
  readonly data: Fields | null
}

/** A graph. */
export interface Graph {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
}

/** All there is. Nothing in it is ever changed: what is written makes a content of its own. */
export interface Content {
  readonly city: Graph
  readonly free: Graph
  readonly people: readonly Fields[]
  readonly posts: readonly Fields[]
}

/** Nothing. */
export const EMPTY: Content = {
  city: { nodes: [], edges: [] },
  free: { nodes: [], edges: [] },
  people: [],
  posts: [],
}

/** By the bytes of a text in UTF-8, which is the order of ids. */
export function byText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

/** Nodes or edges by their ids. */
export function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return byText(left.id, right.id)
}
