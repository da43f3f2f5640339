import type { Column, Documents, ReferenceAction, Table } from '../schema/index.ts'

/** A column of any value. */
// biome-ignore lint/suspicious/noExplicitAny: unknown would refuse columns whose modifiers take a value.
export type AnyColumn = Column<any, boolean, boolean>

/** SQL for each dialect that is to run it; a text alone is for all of them. Backends without SQL pass over it. */
export type DialectSql = string | { readonly sqlite?: string; readonly postgres?: string }

/** What a column refers to, and what happens when that row is deleted or its key changes; `restrict` unless given. */
export interface StepReference {
  readonly model: string
  readonly onDelete?: ReferenceAction
  readonly onUpdate?: ReferenceAction
}

/** One step of a migration, as data. All names are those of TypeScript. */
export type Step =
  | { readonly kind: 'createTable'; readonly table: string; readonly declaration: Table | Documents }
  | { readonly kind: 'dropTable'; readonly table: string }
  | { readonly kind: 'renameTable'; readonly table: string; readonly to: string }
  | ColumnStep<'addColumn'>
  | { readonly kind: 'dropColumn'; readonly table: string; readonly column: string }
  | { readonly kind: 'renameColumn'; readonly table: string; readonly column: string; readonly to: string }
  | ColumnStep<'alterColumn'>
  | IndexStep<'createIndex'>
  | IndexStep<'dropIndex'>
  | {
      readonly kind: 'addForeignKey'
      readonly table: string
      readonly column: string
      readonly references: StepReference
      readonly concurrently?: boolean
    }
  | { readonly kind: 'dropForeignKey'; readonly table: string; readonly column: string }
  | CheckStep<'addCheck'>
  | CheckStep<'dropCheck'>
  | { readonly kind: 'createView'; readonly view: string; readonly select: DialectSql }
  | { readonly kind: 'dropView'; readonly view: string }
  | { readonly kind: 'sql'; readonly sql: DialectSql }
  | DataStep

/** A step that changes rows, in batches by the primary key. */
export interface DataStep {
  readonly kind: 'data'
  readonly table: string
  /** One statement a batch; or `sql`, or `each`. */
  readonly set?: Readonly<Record<string, unknown>>
  readonly sql?: DialectSql
  readonly each?: (row: Readonly<Record<string, unknown>>) => RowChange | Promise<RowChange>
  /** Which rows; all unless given. Not for `sql`. */
  readonly where?: Readonly<Record<string, unknown>>
  /** How many rows a batch is of. */
  readonly batch?: number
}

/** The columns of a row that change; nothing for a row that stays. */
export type RowChange = Readonly<Record<string, unknown>> | null | undefined

interface ColumnStep<Kind extends string> {
  readonly kind: Kind
  readonly table: string
  readonly column: string
  readonly definition: AnyColumn
  /** What rows hold that would hold null; null for nothing. */
  readonly fill: { readonly value: unknown } | null
  readonly concurrently?: boolean
}

interface IndexStep<Kind extends string> {
  readonly kind: Kind
  readonly table: string
  readonly fields: readonly string[]
  readonly unique: boolean
  /** Nullable columns: rows without a value in one of them are left out of it. */
  readonly sparse?: readonly string[]
  /** Others write to the table meanwhile, where the database can do that. */
  readonly concurrently?: boolean
}

interface CheckStep<Kind extends string> {
  readonly kind: Kind
  readonly table: string
  readonly where: Readonly<Record<string, unknown>>
  readonly concurrently?: boolean
}
