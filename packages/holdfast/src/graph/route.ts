/** The ids of the nodes of a path in order, and what it costs. */
export interface Route {
  readonly ids: readonly string[]
  readonly cost: number
  /** The ids of its edges, where it matters which. */
  readonly edges?: readonly string[]
}
