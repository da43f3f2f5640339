import type { ExistingColumn, SchemaEditor, TableRules } from '../../backend/index.ts'
import type { ColumnType } from '../../schema/index.ts'
import { typeScriptName } from '../../schema/names.ts'
import { type ColumnDefinition, checksOn, plain, typeIn } from './column-definition.ts'
import { pathsIn } from './json-paths.ts'
import type { Probe } from './prober.ts'
import { stringsIn } from './sql-constants.ts'

/** The definitions that a column of this type may have been made from, the narrowest first; the last is what it is if none is. */
export function typesOf(
  column: ExistingColumn,
  rules: TableRules | undefined,
  schema: SchemaEditor,
): ColumnDefinition[] {
  const { nullable, name, type } = column
  const texts = checksOn(rules, name)
  const base = { nullable, primaryKey: false, generated: false, unique: false }
  const of = (one: ColumnType): ColumnDefinition => ({ ...base, type: one })
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? []
  if (precision !== undefined && Number(precision) <= 18)
    return [{ ...base, type: 'decimal', precision: Number(precision), scale: Number(scale) }]
  const enums = texts.map(
    (text): ColumnDefinition => ({ ...base, type: 'enum', values: [...new Set(stringsIn(text))] }),
  )
  const digits = texts.flatMap((text) => /\b(9{1,18})\b/.exec(text)?.[1]?.length ?? [])
  const decimals = digits.map((length): ColumnDefinition => ({ ...base, type: 'decimal', precision: length, scale: 0 }))
  const narrow = [...enums.filter(({ values = [] }) => values.length > 0), of('integer'), of('real'), ...decimals]
  const wide = ['boolean', 'timestamp', 'date', 'uuid', 'json', 'bytes', 'bigint', 'text'] as const
  const exact = [...narrow, ...wide.map(of)].filter((one) => typeIn(schema, one) === type)
  if (exact.length === 0) return [of(nearest(type))]
  if (isIndexedJson(rules, name)) return exact.filter((one) => one.type === 'json')
  // Where the database stores several types alike, the name may tell; numbers and texts hold whatever is there.
  const told = exact.filter((one) => tells(name, one.type))
  const isNarrow = (one: ColumnDefinition): boolean => narrow.includes(one)
  const general = exact.filter((one) => !isNarrow(one) && (one.type === 'bigint' || one.type === 'text'))
  const rest = exact.filter((one) => !isNarrow(one) && !told.includes(one) && !general.includes(one))
  return [...exact.filter(isNarrow), ...told, ...(general.length > 0 ? general : rest)]
}

/** Whether an index is over a path into the column. */
function isIndexedJson(rules: TableRules | undefined, column: string): boolean {
  const name = typeScriptName(column)
  const texts = [...(rules?.rules ?? [])].filter(([rule]) => rule.startsWith('index ')).map(([, text]) => text)
  return texts.flatMap(pathsIn).some((path) => path.split('.')[0] === name)
}

function tells(name: string, type: ColumnType): boolean {
  if (type === 'timestamp') return /(_at|_on|_until|_time|timestamp)$|^(last|first)_(used|seen)$/.test(name)
  return type === 'boolean' && /^(is|has|can|was)_/.test(name)
}

/** The type for what no schema makes: `varchar(20)`, `int4`, `DATETIME`. */
function nearest(type: string): ColumnType {
  const is = (pattern: RegExp): boolean => pattern.test(type)
  if (is(/bool/i)) return 'boolean'
  if (is(/timestamp/i)) return 'timestamp'
  if (is(/int|serial/i)) return 'integer'
  if (is(/real|floa|doub|numeric|decimal/i)) return 'real'
  if (is(/json/i)) return 'json'
  return is(/blob|bytea|binary/i) ? 'bytes' : 'text'
}

/** Types that the database stores alike, and that nothing in the table tells apart. */
export function ambiguous(
  definition: ColumnDefinition,
  column: ExistingColumn,
  rules: TableRules | undefined,
  schema: SchemaEditor,
): ColumnType[] {
  const { type, default: given, check } = definition
  if (given !== undefined || check !== undefined || rules === undefined) return []
  if (isMaybeBigint(definition, rules, column.name, schema)) return ['bigint']
  const others: ColumnType[] = type === 'text' ? ['date', 'uuid', 'json'] : ['bigint', 'boolean', 'timestamp']
  if (type !== 'text' && !others.includes(type)) return []
  return others.filter((one) => one !== type && typeIn(schema, plain(one)) === column.type)
}

/** The same as a bigint, where the database stores that alike: what is said of the column may be beyond the range of an integer. */
export function asBigint(
  { definition, ...probe }: Probe,
  rules: TableRules | undefined,
  schema: SchemaEditor,
): Probe[] {
  if (!isMaybeBigint(definition, rules, probe.column, schema)) return []
  const { default: given, ...rest } = definition
  const value =
    given?.kind === 'value' ? { default: { kind: 'value' as const, value: BigInt(given.value as number) } } : {}
  return [{ ...probe, definition: { ...rest, ...value, type: 'bigint' } }]
}

function isMaybeBigint(
  { type, default: given }: ColumnDefinition,
  rules: TableRules | undefined,
  column: string,
  schema: SchemaEditor,
): boolean {
  if (type !== 'integer' || given?.kind === 'now') return false
  const isChecked = checksOn(rules, column).some((text) => text.includes(String(Number.MAX_SAFE_INTEGER)))
  return !isChecked && typeIn(schema, plain('bigint')) === typeIn(schema, plain('integer'))
}
