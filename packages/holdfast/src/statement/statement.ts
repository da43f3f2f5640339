import type { Condition, Direction, Field, Operand } from './condition.ts'

/**
 * What may be asked of a backend. A statement is frozen data: it names models and fields as TypeScript does,
 * holds no SQL and no values. Values are parameters, given apart, and a statement says where each one goes,
 * so that it is prepared once and executed with any values.
 *
 * Parameters arrive checked and in the form the schema's acceptors give: text is well-formed, a timestamp is a
 * `Date`, a decimal is padded to its scale. A backend encodes them as it stores them.
 */
export type Statement = Select | Insert | Update | Delete

/** One step of an ordering. */
export interface Order {
  readonly field: Field
  readonly direction: Direction
}

/** How a timestamp is cut down: to the start of its minute, hour, … in UTC; weeks start on Monday. */
export type DateUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'

/** The aggregate functions. Over no rows `count` and `countDistinct` are 0 and the others null. */
export type AggregateFunction = 'count' | 'countDistinct' | 'sum' | 'avg' | 'min' | 'max'

/** What one member of a selected row is. */
export type Output =
  | { readonly kind: 'field'; readonly name: string; readonly field: Field }
  | { readonly kind: 'dateTrunc'; readonly name: string; readonly unit: DateUnit; readonly field: Field }
  /** `count` without a field counts rows; with one, the rows where it is not null. */
  | { readonly kind: 'aggregate'; readonly name: string; readonly function: AggregateFunction; readonly field?: Field }

/** A further model whose rows are put beside those of the first. */
export interface Join {
  readonly model: string
  readonly kind: 'inner' | 'left'
  /** Pairs that must be equal: a field of an earlier source, and a field of this join. */
  readonly on: readonly (readonly [Field, Field])[]
}

/** Reads rows. */
export interface Select {
  readonly kind: 'select'
  readonly model: string
  /** Sources 1, 2, … for fields; the statement's own model is source 0. */
  readonly joins: readonly Join[]
  readonly outputs: readonly Output[]
  readonly where?: Condition
  /** The outputs, by name, that rows are grouped by. Present (perhaps empty) exactly when outputs aggregate. */
  readonly groupBy?: readonly string[]
  /** A condition on outputs: its fields have the source `'output'`. */
  readonly having?: Condition
  /** Complete: the repository adds the primary key, so that no two rows tie. */
  readonly orderBy: readonly Order[]
  /** The parameter that holds the greatest number of rows. */
  readonly limit?: number
  /** The parameter that holds the number of rows passed over. */
  readonly offset?: number
  /** At most so many rows (a parameter) for each value of these fields, first by `orderBy`: for included relations. */
  readonly limitPer?: { readonly fields: readonly Field[]; readonly limit: number }
  /**
   * Keeps others from writing the rows, and from referring to them, until the transaction ends. Where one writer runs at a time, or the
   * transaction is serializable, it means nothing more than that is. For plain rows: no joins, no groups.
   */
  readonly locked?: boolean
  /** With `locked`: passes over rows that another transaction has locked, where the backend locks rows. */
  readonly skipLocked?: boolean
}

/** Where the value of an inserted column comes from. */
export interface InsertColumn {
  readonly column: string
  /** `given` as it is; `now`: the database's time plus the parameter, in milliseconds. */
  readonly value: 'given' | 'now'
}

/**
 * Writes new rows. Its parameters are those of `onConflict` first (`leading` of them), then the rows one after the other,
 * each with the values of `columns` in order; so one plan inserts any number of rows.
 */
export interface Insert {
  readonly kind: 'insert'
  readonly model: string
  readonly columns: readonly InsertColumn[]
  /** How many parameters come before the rows. */
  readonly leading: number
  readonly onConflict?: {
    /** The columns of the primary key or of a unique index; none, where `set` is empty too, for whatever it collides with. */
    readonly columns: readonly string[]
    /** Empty: the new row is dropped. */
    readonly set: readonly Assignment[]
  }
  /** The columns to give back; in the order of the rows given. Rows that `onConflict` dropped are missing. */
  readonly returning: readonly string[]
}

/** One change of an update. */
export interface Assignment {
  /** A column, or a top-level member of a JSON column (a path of one step). */
  readonly field: Field
  /** `increment` adds to what is stored (null stays null); `proposed` takes the value of the row that was to be inserted. */
  readonly operation: 'set' | 'increment' | 'proposed'
  /** Not there for `proposed`. */
  readonly operand?: Operand
}

/** Changes rows: all that match, or the first `limit` by `orderBy`. */
export interface Update {
  readonly kind: 'update'
  readonly model: string
  readonly set: readonly Assignment[]
  readonly where?: Condition
  readonly orderBy: readonly Order[]
  readonly limit?: number
  /** Passes over rows that another transaction has locked, where the backend locks rows. */
  readonly skipLocked?: boolean
  /** The columns to give back, in no particular order. */
  readonly returning: readonly string[]
  /**
   * Where it commits by itself, nobody waits for the disk: should the database crash, it may be undone, as whatever came before it is not.
   * For leases, which end by themselves.
   */
  readonly unsynced?: boolean
}

/** Removes rows: all that match, or the first `limit` by `orderBy`. */
export interface Delete {
  readonly kind: 'delete'
  readonly model: string
  readonly where?: Condition
  readonly orderBy: readonly Order[]
  readonly limit?: number
  readonly skipLocked?: boolean
  /** The columns to give back, as they were, in no particular order. */
  readonly returning: readonly string[]
  /** Puts the removed rows into another table with the same statement, so that they need not come here and go back. */
  readonly into?: Moved
}

/** Where removed rows go. What they become there is stored as it is: a key that is taken is an error. */
export interface Moved {
  readonly model: string
  readonly columns: readonly MovedColumn[]
}

/** Where the value of a column comes from: a column of the removed row with the same type, a parameter, or the database's time. */
export interface MovedColumn {
  readonly column: string
  readonly value: Operand | { readonly kind: 'column'; readonly column: string }
}
