import type { GraphTypes } from '../schema/index.ts'

/** The types of a graph that nobody declared: any label, any relation, any data. */
export interface UntypedGraph extends GraphTypes {
  readonly nodes: {
    readonly [label: string]: { readonly data: Record<string, unknown>; readonly input: Record<string, unknown> }
  }
  readonly relations: {
    readonly [relation: string]: {
      readonly data: Record<string, unknown> | null
      readonly input: Record<string, unknown> | null | undefined
      readonly from: string
      readonly to: string
    }
  }
}

/** The labels of a graph. */
export type Label<T extends GraphTypes> = keyof T['nodes'] & string

/** The relations of a graph. */
export type Relation<T extends GraphTypes> = keyof T['relations'] & string

/** A node as it is read; its data follows from its label. */
export type GraphNode<T extends GraphTypes = UntypedGraph, L extends Label<T> = Label<T>> = L extends unknown
  ? { id: string; label: L; data: T['nodes'][L]['data']; createdAt: Date; updatedAt: Date }
  : never

/** An edge as it is read; its data follows from its relation, and is null where it carries none. */
export type GraphEdge<T extends GraphTypes = UntypedGraph, R extends Relation<T> = Relation<T>> = R extends unknown
  ? {
      id: string
      source: string
      relation: R
      target: string
      data: T['relations'][R]['data']
      createdAt: Date
      updatedAt: Date
    }
  : never

/** The fields of nodes as conditions see them: each may be what it is for any of the labels. */
export type NodeFields<T extends GraphTypes, L extends Label<T>> = {
  [Name in 'id' | 'label' | 'data' | 'createdAt' | 'updatedAt']: GraphNode<T, L>[Name]
}

/** The fields of edges as conditions see them. */
export type EdgeFields<T extends GraphTypes> = {
  [Name in 'id' | 'source' | 'relation' | 'target' | 'data' | 'createdAt' | 'updatedAt']: GraphEdge<T>[Name]
}

/** What `connectMany` takes; `data` may be left out where the relation carries none. */
export type NewEdge<T extends GraphTypes = UntypedGraph, R extends Relation<T> = Relation<T>> = R extends unknown
  ? { readonly id?: string; readonly source: string; readonly relation: R; readonly target: string } & Carried<
      T['relations'][R]['input']
    >
  : never

type Carried<Input> = undefined extends Input ? { readonly data?: Input } : { readonly data: Input }

/** The last argument of `connect`: the data, which may be left out where the relation carries none. */
export type CarriedArgument<Input> = undefined extends Input ? [data?: Input] : [data: Input]

/** A change of some members of the data; `undefined` leaves one alone. */
export type DataPatch<Input> = { readonly [Name in keyof Input]?: Input[Name] | undefined }

/** One name or a list of them. */
export type OneOrMany<Name extends string> = Name | readonly Name[]

/** Which way edges are followed: from source to target, from target to source, or both. */
export type EdgeDirection = 'out' | 'in' | 'both'

/** Which edges a walk follows. */
export interface FollowOptions<T extends GraphTypes> {
  /** Only these relations; all unless given. */
  readonly relations?: OneOrMany<Relation<T>>
  /** `out` unless given. */
  readonly direction?: EdgeDirection
}

/** How far to walk, and what to give of it. */
export interface TraverseOptions<T extends GraphTypes, L extends Label<T> = Label<T>> extends FollowOptions<T> {
  /** The fewest edges away that are given: 0 unless given, which is the node itself. */
  readonly minDepth?: number
  /** The most edges away; without it, everything that can be reached. */
  readonly maxDepth?: number
  /** Only nodes with these labels are given; the walk goes through all. */
  readonly labels?: OneOrMany<L>
}

/** Which edges a path may take, and what they cost. */
export interface PathOptions<T extends GraphTypes> extends FollowOptions<T> {
  /** What an edge costs: the name of a number in its data, or a function; each edge costs 1 unless given. */
  readonly weight?: string | ((edge: GraphEdge<T>) => number)
}

/** Which neighbours to give. */
export interface NeighborsOptions<T extends GraphTypes, L extends Label<T> = Label<T>> {
  /** Only along these relations; along all unless given. */
  readonly relation?: OneOrMany<Relation<T>>
  /** `out` unless given. */
  readonly direction?: EdgeDirection
  /** Only nodes with these labels. */
  readonly label?: OneOrMany<L>
  /** How many at most; all of them unless given. */
  readonly first?: number
  /** The `next` of the page before; left out or null for the first page. */
  readonly after?: string | null | undefined
}
