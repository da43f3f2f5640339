/**
 * The shape of conditions, as types. What they mean is told in `statement/rules.ts`,
 * where they are read; they stand here because a column's check is a condition too.
 */

/** The operators of one field. Several in one object must all hold. */
export interface Comparison<Value> {
  /** Equal; `{ eq: null }` means is null. */
  readonly eq?: Value
  /** The exact complement of `eq`: null is not equal to `'x'`, so it is found by `{ ne: 'x' }`. */
  readonly ne?: Value
  readonly gt?: NonNullable<Value>
  readonly gte?: NonNullable<Value>
  readonly lt?: NonNullable<Value>
  readonly lte?: NonNullable<Value>
  /** Equal to one of these; null may be among them. An empty list matches nothing. */
  readonly in?: readonly Value[]
  /** The exact complement of `in`. */
  readonly notIn?: readonly Value[]
  /** Holds this text, letter for letter: `%` and `_` are ordinary characters, case matters. */
  readonly contains?: Extract<Value, string>
  readonly startsWith?: Extract<Value, string>
  readonly endsWith?: Extract<Value, string>
  /** For a list in a JSON column or a document: holds this string, number or boolean as an element. */
  readonly has?: Value extends readonly (infer Element)[] ? Element : never
}

/** A condition on one field: a value it must equal, or operators. */
export type FieldFilter<Value> = Value | Comparison<Value>

/** A condition on a path into a JSON column or a document, such as `'owner.team'`. */
export type PathFilter = PathValue | PathComparison

/** What stands at a name with a dot: a field of a joined model, such as `'users.firstSeen'`, or a path. */
type DottedFilter<Row> = PathFilter | DottedField<Row[keyof Row & `${string}.${string}`]>

type DottedField<Value> = [Value] extends [never] ? never : FieldFilter<Value>

/** What a path can be compared with. */
export type PathValue = string | number | boolean | null

/** The operators at a path; they mean what they mean in {@link Comparison}. */
export interface PathComparison {
  readonly eq?: PathValue
  readonly ne?: PathValue
  readonly gt?: NonNullable<PathValue>
  readonly gte?: NonNullable<PathValue>
  readonly lt?: NonNullable<PathValue>
  readonly lte?: NonNullable<PathValue>
  readonly in?: readonly PathValue[]
  readonly notIn?: readonly PathValue[]
  readonly contains?: string
  readonly startsWith?: string
  readonly endsWith?: string
  readonly has?: NonNullable<PathValue>
}

/**
 * The records whose key is the id of a node within reach of a node. A walk finds the ids first, whatever cycles there are.
 *
 * @example
 * ```ts
 * await storage.repository('users').find({ where: { reach: { graph: 'social', from: me, relation: 'follows', maxDepth: 3 } } })
 * ```
 */
export interface ReachFilter {
  /** The graph to walk through. Where nodes of a graph are asked for, that one unless given. */
  readonly graph?: string
  /** The node where the walk begins. */
  readonly from: string
  /** Only along these relations; along all unless given. */
  readonly relation?: string | readonly string[]
  /** `out` unless given. */
  readonly direction?: 'out' | 'in' | 'both'
  /** How many edges away at least: 1 unless given, so that the node itself is not found. */
  readonly minDepth?: number
  /** How many edges away at most; without it, everything that can be reached. */
  readonly maxDepth?: number
  /** The text field that holds the ids; the key unless given. */
  readonly field?: string
}

/**
 * A condition on a row. All fields named must hold; `and`, `or` and `not` combine further conditions.
 *
 * @example
 * ```ts
 * const where: Where<Plan> = { status: 'ready', name: { startsWith: 'a' }, or: [{ owner: null }, { 'owner.team': { in: ['x', 'y'] } }] }
 * ```
 */
export type Where<Row> = { readonly [Name in keyof Row]?: FieldFilter<Row[Name]> } & {
  readonly and?: readonly Where<Row>[]
  /** One of these must hold; an empty list matches nothing. */
  readonly or?: readonly Where<Row>[]
  /** The exact complement: finds every row that the condition inside does not. */
  readonly not?: Where<Row>
  /** What can be reached in a graph. */
  readonly reach?: ReachFilter
  readonly [path: `${string}.${string}`]: DottedFilter<Row>
}
