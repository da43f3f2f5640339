import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The labels at one end of a relation: one, or a list of those that may stand there. */
export type RelationEnd<Label extends string = string> = Label | readonly Label[]

/** A declared relation: from which nodes to which its edges run, and what they carry. */
export interface RelationDeclaration<Label extends string = string> {
  readonly from: RelationEnd<Label>
  readonly to: RelationEnd<Label>
  /** Validates the data of an edge; without it, an edge may carry any JSON object, or none. */
  readonly data?: StandardSchemaV1<unknown, object>
}

/** What a graph holds, to the type checker: by label and by relation, what is read and what is given. */
export interface GraphTypes {
  readonly nodes: { readonly [label: string]: { readonly data: object; readonly input: object } }
  readonly relations: {
    readonly [relation: string]: {
      readonly data: object | null
      readonly input: object | null | undefined
      readonly from: string
      readonly to: string
    }
  }
}

/** A declared graph. */
export interface GraphDeclaration<Types extends GraphTypes = GraphTypes> {
  readonly kind: 'graph'
  readonly nodes: { readonly [label: string]: StandardSchemaV1<unknown, object> }
  readonly relations: { readonly [relation: string]: RelationDeclaration }
  readonly indexes: readonly (string | readonly string[])[]
  /** For inference only; never there at run time. */
  readonly $types?: Types
}

type NodeSchemas = { readonly [label: string]: StandardSchemaV1<unknown, object> }

type LabelsOf<End> = End extends readonly (infer Label)[] ? Label & string : End & string

/** A schema need not tell its types. */
type AsObject<Data> = Data extends object ? Data : object

/** What a declared graph holds, to the type checker, by the schemas of its nodes and its relations. */
export interface DeclaredGraphTypes<
  N extends NodeSchemas,
  R extends { readonly [relation: string]: RelationDeclaration },
> {
  readonly nodes: {
    readonly [Label in keyof N & string]: {
      readonly data: AsObject<StandardSchemaV1.InferOutput<N[Label]>>
      readonly input: StandardSchemaV1.InferInput<N[Label]> & object
    }
  }
  readonly relations: {
    readonly [Name in keyof R & string]: {
      readonly data: R[Name] extends { readonly data: infer Data extends StandardSchemaV1<unknown, object> }
        ? AsObject<StandardSchemaV1.InferOutput<Data>>
        : Record<string, unknown> | null
      readonly input: R[Name] extends { readonly data: infer Data extends StandardSchemaV1<unknown, object> }
        ? StandardSchemaV1.InferInput<Data> & object
        : Record<string, unknown> | null | undefined
      readonly from: LabelsOf<R[Name]['from']>
      readonly to: LabelsOf<R[Name]['to']>
    }
  }
}

/**
 * Declares a graph: its nodes by label, each with the schema of its data, and the relations that edges run along.
 *
 * @param declared.indexes paths into the nodes that `nodes(label, { where })` asks for, such as `'data.name'`.
 *
 * @example
 * ```ts
 * const city = graph({
 *   nodes: { venue: z.object({ name: z.string() }), event: z.object({ title: z.string() }) },
 *   relations: { hosts: { from: 'venue', to: 'event', data: z.object({ hall: z.string() }) } },
 * })
 * ```
 */
export function graph<
  const N extends NodeSchemas,
  const R extends { readonly [relation: string]: RelationDeclaration<keyof N & string> } = Record<never, never>,
>(declared: {
  readonly nodes: N
  readonly relations?: R
  readonly indexes?: readonly (string | readonly string[])[]
}): GraphDeclaration<DeclaredGraphTypes<N, R>> {
  // What it cannot be is told of when the schema is checked, and options that there are not.
  const given = typeof declared === 'object' && declared !== null ? declared : { nodes: declared as N }
  const { nodes, relations = {}, indexes = [], ...others } = given
  return { ...others, kind: 'graph', nodes, relations, indexes }
}

/** The labels at an end of a relation, as a list. */
export function labelsAt(end: RelationEnd): readonly string[] {
  return typeof end === 'string' ? [end] : end
}
