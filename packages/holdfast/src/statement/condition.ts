/**
 * A column of one of a statement's sources, or a path into its JSON.
 * `source` 0 is the statement's own model, 1, 2, … its joins, `'output'` a select's own outputs (in `having` and `orderBy`).
 */
export interface Field {
  readonly source: number | 'output'
  /** The column's name in TypeScript; for `'output'` the output's name. */
  readonly column: string
  /** Empty for the column itself. */
  readonly path: readonly string[]
}

/** What a field is compared with, or set to. */
export type Operand =
  /** The value of a parameter. */
  | { readonly kind: 'parameter'; readonly parameter: number }
  /** The database's time plus a parameter, in milliseconds. For timestamp columns. */
  | { readonly kind: 'now'; readonly plusMs: number }

/**
 * The type of value at a JSON path that a condition speaks of. Values of another type never match it,
 * so `{ 'owner.age': { gt: 5 } }` passes over the text `'7'`.
 */
export type JsonScalar = 'text' | 'number' | 'boolean'

/** How two values are compared. */
export type ComparisonOperator = 'eq' | 'gt' | 'gte' | 'lt' | 'lte'

/**
 * A condition: always true or false, never unknown. A comparison with null is false, and `not` is the exact
 * complement, so `not (cost > 5)` is true where the cost is null. SQL backends write `is not true` for it.
 */
export type Condition =
  | { readonly kind: 'and'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'or'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'not'; readonly condition: Condition }
  | {
      readonly kind: 'compare'
      readonly field: Field
      readonly operator: ComparisonOperator
      readonly operand: Operand
      /** Present exactly when the field is a JSON path. */
      readonly json?: JsonScalar
    }
  /** Equal to an element of the parameter, which is a list without nulls. One parameter, so one plan for every length. */
  | {
      readonly kind: 'in'
      readonly field: Field
      readonly parameter: number
      readonly json?: JsonScalar
      /** The parameter is given as a `Reach`, which has become a list before a backend sees it. */
      readonly reach?: true
    }
  /** Null; at a JSON path also: not there. */
  | { readonly kind: 'null'; readonly field: Field }
  | {
      readonly kind: 'match'
      readonly field: Field
      readonly operator: 'contains' | 'startsWith' | 'endsWith'
      readonly parameter: number
    }
  /** The JSON list at the field holds the parameter, which is a scalar of this type. */
  | { readonly kind: 'has'; readonly field: Field; readonly parameter: number; readonly json: JsonScalar }
  /** The row comes after the one with these values in this ordering: the condition of keyset paging. */
  | { readonly kind: 'after'; readonly keys: readonly AfterKey[] }

/** Which way an ordering runs. Null comes first ascending and last descending. */
export type Direction = 'asc' | 'desc'

/** One step of an ordering with the value that the last row of the page before had. */
export interface AfterKey {
  readonly field: Field
  readonly direction: Direction
  /** The parameter; null where that row's value was null (or, at a JSON path, a list or an object). */
  readonly parameter: number | null
  /** At a JSON path, the type of that row's value: `'other'` for a list or an object. Missing for null. */
  readonly json?: JsonScalar | 'other'
}

/** Always true: every row. */
export const EVERYTHING: Condition = { kind: 'and', conditions: [] }
