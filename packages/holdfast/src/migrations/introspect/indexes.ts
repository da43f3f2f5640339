import type { TableRules } from '../../backend/index.ts'
import { typeScriptName } from '../../schema/names.ts'
import type { FoundColumn } from './columns.ts'
import { pathsIn } from './json-paths.ts'

/** The indexes of a table, as its declaration says them. */
export interface FoundIndexes {
  readonly indexes: readonly string[][]
  /** Over several columns, or over paths. */
  readonly unique: readonly string[][]
  /** The columns that are unique alone. */
  readonly uniqueColumns: ReadonlySet<string>
  /** The columns whose nulls are in no index. */
  readonly sparse: ReadonlySet<string>
}

/** Reads the indexes of a table; those that a schema cannot say are noted. */
export function indexesOf(
  table: string,
  columns: readonly FoundColumn[],
  rules: TableRules | undefined,
  notes: string[],
): FoundIndexes {
  const indexes: string[][] = []
  const unique: string[][] = []
  const uniqueColumns = new Set<string>()
  const sparse = new Set<string>()
  const nullable = new Set(columns.filter(({ definition }) => definition.nullable).map(({ name }) => name))
  for (const index of rules?.indexes ?? []) {
    const text = rules?.rules.get(`index ${index.name}`) ?? ''
    // One of Holdfast's own, for all paths into a column.
    if (text.includes('jsonb_path_ops')) continue
    const fields = fieldsIn(index.columns, text, columns)
    if (fields === null) {
      notes.push(`${table}: the index ${index.name} is over an expression`)
      continue
    }
    if (index.partial) for (const field of fields) if (nullable.has(field)) sparse.add(field)
    const [first] = index.columns
    if (!index.unique) indexes.push(fields)
    else if (index.columns.length === 1 && typeof first === 'string') uniqueColumns.add(fields[0] as string)
    else unique.push(fields)
  }
  return { indexes, unique, uniqueColumns, sparse }
}

/** The fields of an index, with paths into JSON as `column.path`; null for one that is over something else. */
function fieldsIn(columns: readonly (string | null)[], text: string, known: readonly FoundColumn[]): string[] | null {
  const fields: string[] = []
  const paths = pathsIn(text)
  for (const column of columns) {
    if (column !== null) {
      const name = typeScriptName(column) as string
      if (known.find((one) => one.name === name)?.type === 'json') return null
      fields.push(name)
    } else if (paths.length > 0) fields.push(...paths.splice(0))
  }
  const isWhole =
    fields.length > 0 && (columns.every((column) => column !== null) || columns.every((one) => one === null))
  return isWhole ? fields : null
}
