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
    }
  | { readonly kind: 'dropForeignKey'; readonly table: string; readonly column: string }
  | CheckStep<'addCheck'>
  | CheckStep<'dropCheck'>
  | { readonly kind: 'createView'; readonly view: string; readonly select: DialectSql }
  | { readonly kind: 'dropView'; readonly view: string }
  | { readonly kind: 'sql'; readonly sql: DialectSql }

interface ColumnStep<Kind extends string> {
  readonly kind: Kind
  readonly table: string
  readonly column: string
  readonly definition: AnyColumn
  /** What rows hold that would hold null; null for nothing. */
  readonly fill: { readonly value: unknown } | null
}

interface IndexStep<Kind extends string> {
  readonly kind: Kind
  readonly table: string
  readonly fields: readonly string[]
  readonly unique: boolean
}

interface CheckStep<Kind extends string> {
  readonly kind: Kind
  readonly table: string
  readonly where: Readonly<Record<string, unknown>>
}
