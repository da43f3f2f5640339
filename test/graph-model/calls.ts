import type { Fields, GraphName, Name } from './schema.ts'

/** A node as it is given. */
export interface NewNode {
  readonly id?: string
  readonly data: Fields
}

/** An edge as it is given. */
export interface NewEdge {
  readonly id?: string
  readonly source: string
  readonly relation: string
  readonly target: string
  readonly data?: Fields | undefined
}

/** A query of nodes, edges or records; its conditions may hold `reach`. */
export interface Query {
  readonly where?: Fields
  readonly orderBy?: Fields
  readonly limit?: number
  readonly offset?: number
}

/** A call that changes a graph. */
export type GraphWrite = { readonly graph: GraphName } & (
  | { readonly do: 'addNode'; readonly label: string; readonly node: NewNode }
  | { readonly do: 'addNodes'; readonly label: string; readonly nodes: readonly NewNode[] }
  | { readonly do: 'updateNode' | 'updateEdge'; readonly id: string; readonly patch: Fields }
  | { readonly do: 'removeNode' | 'disconnect'; readonly id: string }
  | { readonly do: 'connect'; readonly edge: NewEdge }
  | { readonly do: 'connectMany'; readonly edges: readonly NewEdge[] }
  | {
      readonly do: 'importJson'
      readonly nodes: readonly (NewNode & { readonly id: string; readonly label: string })[]
      readonly edges: readonly NewEdge[]
    }
)

/** A call that changes ordinary records. */
export type RecordWrite = { readonly model: Name } & (
  | { readonly do: 'create'; readonly record: Fields }
  | { readonly do: 'updateMany'; readonly where: Fields; readonly patch: Fields }
  | { readonly do: 'deleteMany'; readonly where: Fields }
)

/** A call that reads a graph. */
export type GraphRead = { readonly graph: GraphName } & (
  | { readonly do: 'getNode'; readonly id: string }
  | { readonly do: 'nodes'; readonly label: string; readonly query: Query }
  | { readonly do: 'edges'; readonly query: Query }
  /** All neighbours or, with `first`, all pages of them. */
  | { readonly do: 'neighbors' | 'traverse' | 'component' | 'degree'; readonly id: string; readonly options: Fields }
  | {
      readonly do: 'shortestPath'
      readonly from: string
      readonly to: string
      readonly options: Fields
      /** Weighs by a function that reads the member `weight` names. */
      readonly byFunction: boolean
    }
  | { readonly do: 'exportJson' }
)

/** A call that reads ordinary records. */
export type RecordRead = { readonly model: Name } & (
  | { readonly do: 'find'; readonly query: Query }
  | { readonly do: 'count'; readonly where: Fields }
)

export type Write = GraphWrite | RecordWrite
export type Read = GraphRead | RecordRead
export type Call = Write | Read

/** What is done in one go: a call, or a transaction, which may be undone and have others in it. */
export type Step =
  | Call
  | {
      readonly do: 'transaction'
      readonly steps: readonly Step[]
      readonly commits: boolean
      /** Whether its function catches the errors of its calls. */
      readonly swallows: boolean
    }
