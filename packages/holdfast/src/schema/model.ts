import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Acceptor } from './accept.ts'
import type { CachedReads } from './cached-reads.ts'
import type { ColumnType, Default, ReferenceAction } from './column.ts'

/**
 * A model as the rest of Holdfast sees it: every name resolved, every option filled in.
 * `documents` have become a table with a JSON column by then, so that a backend knows tables only.
 */
export interface Model {
  /** The name in TypeScript. */
  readonly name: string
  /** The name in the database. */
  readonly table: string
  readonly kind: 'table' | 'documents'
  readonly columns: readonly ModelColumn[]
  /** The columns by their names in TypeScript. */
  readonly byName: ReadonlyMap<string, ModelColumn>
  /** The names of the key's columns, in order. */
  readonly primaryKey: readonly string[]
  /** All indexes, those of unique constraints included; the primary key is not among them. */
  readonly indexes: readonly ModelIndex[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly checks: readonly ModelCheck[]
  /** Whether `version` counts the writes. Always for documents. */
  readonly versioned: boolean
  /** Present where rows come and go all the time. */
  readonly shortLived?: true
  /** How reads are kept, unless they say so themselves. */
  readonly cache?: CachedReads
  /** Validates documents. */
  readonly schema?: StandardSchemaV1
  readonly relations: ReadonlyMap<string, Relation>
  /** Present for the tables of Holdfast's features: nobody else writes them, so the database does not check their values once more. */
  readonly own?: true
  /** Present where no schema speaks of it, so that its table is made at its first use. */
  readonly undeclared?: true
  /** Present where every version is kept. */
  readonly history?: {
    /** How long a version is kept after it was replaced; null for ever. */
    readonly keepMs: number | null
  }
}

/** A column, resolved. */
export interface ModelColumn {
  /** The name in TypeScript. */
  readonly name: string
  /** The name in the database. */
  readonly column: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly generated: boolean
  readonly default?: Default
  readonly values?: readonly string[]
  readonly precision?: number
  readonly scale?: number
  readonly schema?: StandardSchemaV1
  /** Checks a value and gives it in the one form that is stored. */
  readonly accept: Acceptor
}

/** A column, or a path into a JSON column: `{ column: 'data', path: ['owner', 'team'] }`. */
export interface FieldPath {
  /** The column's name in TypeScript. */
  readonly column: string
  /** Empty for the column itself. */
  readonly path: readonly string[]
}

/** An index, resolved. */
export interface ModelIndex {
  /** The name in the database. */
  readonly name: string
  readonly fields: readonly FieldPath[]
  readonly unique: boolean
  /** Columns, by their names in TypeScript: rows without a value in one of them are not in it, where the backend can leave them out. */
  readonly sparse?: readonly string[]
}

/** A foreign key, resolved: always to the primary key of its target. */
export interface ForeignKey {
  readonly name: string
  /** The one column here that refers. */
  readonly column: string
  readonly model: string
  readonly onDelete: ReferenceAction
  readonly onUpdate: ReferenceAction
}

/** A check, still in the words of the user; `statement/` reads it. */
export interface ModelCheck {
  readonly name: string
  /** The fields it speaks of, for errors. */
  readonly fields: readonly string[]
  readonly where: Readonly<Record<string, unknown>>
  /** For a column's own check: null passes. */
  readonly nullPasses?: string
}

/** How records of two models belong together. */
export interface Relation {
  readonly kind: 'one' | 'many'
  readonly model: string
  /** The fields here, as a user writes them. */
  readonly local: readonly string[]
  /** The fields there that must equal them, one for one. */
  readonly foreign: readonly string[]
}

/** The column that holds a document's own fields. */
export const DOCUMENT_COLUMN = 'data'

/** The fields of a document that are columns of their own. */
export const DOCUMENT_FIELDS: readonly string[] = ['id', 'version', 'createdAt', 'updatedAt']

/** The models of a storage by name. It grows when undeclared collections are used. */
export type Models = ReadonlyMap<string, Model>

/**
 * Finds what a field name means in a model: a column, or a path into JSON.
 *
 * @returns null when the model has no such field.
 */
export function resolveField(model: Model, name: string): FieldPath | null {
  if (model.kind === 'documents') {
    if (DOCUMENT_FIELDS.includes(name)) return { column: name, path: [] }
    const path = name.split('.')
    return path.every((step) => step !== '') ? { column: DOCUMENT_COLUMN, path } : null
  }
  if (model.byName.has(name)) return { column: name, path: [] }
  const [column = '', ...path] = name.split('.')
  if (path.length === 0 || model.byName.get(column)?.type !== 'json') return null
  return path.every((step) => step !== '') ? { column, path } : null
}
