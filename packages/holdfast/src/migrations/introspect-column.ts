import type { ExistingColumn, ExistingTable, SchemaEditor, TableRules } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { Column, type ColumnType, type Documents, resolveModel, type Table, t, table } from '../schema/index.ts'
import { databaseName, typeScriptName } from '../schema/names.ts'
import { pathsIn } from './json-paths.ts'
import type { AnyColumn } from './step.ts'

/** Everything that a column says of itself. */
type ColumnDefinition = AnyColumn['definition']

/** A table as it was found, and as it is declared. */
export interface FoundTable {
  readonly name: string
  readonly declaration: Table | Documents
  readonly columns: readonly FoundColumn[]
}

/** A column as it was found. */
export interface FoundColumn {
  /** In TypeScript. */
  readonly name: string
  readonly type: ColumnType
  readonly column: AnyColumn
  readonly definition: ColumnDefinition
  /** The other types that it may just as well be. */
  readonly maybe: readonly ColumnType[]
  /** What is not declared of it. */
  readonly note?: string
}

/** How many tables are made at a time to see how the database writes them. */
const AT_ONCE = 150

/** A column that might be the one that is there. */
interface Probe {
  readonly table: string
  readonly column: string
  readonly definition: ColumnDefinition
}

/** The columns of tables. Each is guessed, and the guess compared with what the database would have made of it. */
export async function columnsOf(
  schema: SchemaEditor,
  tables: readonly ExistingTable[],
  rules: ReadonlyMap<string, TableRules>,
): Promise<Map<string, FoundColumn[]>> {
  const prober = new Prober(schema, rules)
  const all = tables.flatMap((one) => one.columns.map((column) => ({ table: one, column })))
  const typed = await prober.first(
    all.map(({ table: one, column }) => {
      const live = rules.get(one.name)
      const types = isCounted(one, column, live) ? [countedKey] : typesOf(column, live, schema)
      return types.map((definition) => ({ table: one.name, column: column.name, definition }))
    }),
  )
  const alike = (probe: Probe): Probe[] => [probe, ...asBigint(probe, rules.get(probe.table), schema)]
  const defaulted = await prober.first(
    typed.map((probe) => [...alike(probe).flatMap((one) => withDefaults(one, rules)), probe]),
  )
  const checked = await prober.first(
    defaulted.map((probe) => [...alike(probe).flatMap((one) => withChecks(one, rules)), probe]),
  )
  const found = new Map<string, FoundColumn[]>()
  for (const [at, { table: one, column }] of all.entries()) {
    const { definition } = checked[at] as Probe
    const own = foundColumn(one, column, definition, rules.get(one.name), schema)
    found.set(one.name, [...(found.get(one.name) ?? []), own])
  }
  return found
}

function foundColumn(
  one: ExistingTable,
  column: ExistingColumn,
  definition: ColumnDefinition,
  rules: TableRules | undefined,
  schema: SchemaEditor,
): FoundColumn {
  const generated = isCounted(one, column, rules)
  const { default: given, ...rest } = definition
  const whole = { ...rest, generated, ...(!generated && given !== undefined && { default: given }) }
  const live = rules?.rules.get(`default of ${column.name}`)
  const isLost = live !== undefined && !generated && given === undefined
  const lost = isLost ? ` the default of ${column.name} is ${live}` : ''
  const type = typeIn(schema, definition)
  const other = type === column.type ? '' : ` ${column.name} is ${column.type}, and is declared as ${definition.type}`
  const note = [lost, other].filter((one) => one !== '').join(',')
  return {
    name: typeScriptName(column.name) as string,
    type: definition.type,
    column: new Column(whole),
    definition: whole,
    maybe: generated ? [] : ambiguous(definition, column, rules, schema),
    ...(note !== '' && { note: note.trim() }),
  }
}

/** Whether it is the key of its table, and the database counts it up. */
function isCounted({ name, primaryKey }: ExistingTable, column: ExistingColumn, live?: TableRules): boolean {
  if (primaryKey.join() !== column.name) return false
  const key = live?.rules.get(`primary key ${name}`)
  return live?.rules.get(`default of ${column.name}`) === 'generated' || key?.endsWith(' generated') === true
}

/** Types that the database stores alike, and that nothing in the table tells apart. */
function ambiguous(
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
function asBigint({ definition, ...probe }: Probe, rules: TableRules | undefined, schema: SchemaEditor): Probe[] {
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

const countedKey: ColumnDefinition = { ...plain('integer'), nullable: false }

/** Sees how the database writes columns that might be there. */
class Prober {
  readonly #schema: SchemaEditor
  readonly #rules: ReadonlyMap<string, TableRules>

  constructor(schema: SchemaEditor, rules: ReadonlyMap<string, TableRules>) {
    this.#schema = schema
    this.#rules = rules
  }

  /** Of each list the first one that is written as the live column is; the last where none is. */
  async first(lists: readonly (readonly Probe[])[]): Promise<Probe[]> {
    const chosen: Probe[] = lists.map((list) => list.at(-1) as Probe)
    const open = lists.flatMap((list, at) => (list.length > 1 ? list.map((probe) => ({ probe, at })) : []))
    const settled = new Set<number>()
    for (let from = 0; from < open.length; from += AT_ONCE) {
      const part = open.slice(from, from + AT_ONCE)
      const written = await this.#written(part.map(({ probe }) => probe))
      for (const [index, { probe, at }] of part.entries()) {
        if (settled.has(at) || !this.#fits(probe, written[index] as ReadonlyMap<string, string>)) continue
        settled.add(at)
        chosen[at] = probe
      }
    }
    return chosen
  }

  async #written(probes: readonly Probe[]): Promise<ReadonlyMap<string, string>[]> {
    const models = probes.map(({ column, definition }, at) => {
      const name = typeScriptName(column) as string
      const key = name === 'probeKey' ? 'probeKeyToo' : 'probeKey'
      const columns = { [key]: t.text().primaryKey(), [name]: new Column(definition) }
      return resolveModel(`holdfastProbe${at}`, table(columns) as never)
    })
    const rules = await this.#schema.expectedRules(new Map(models.map((model) => [model.name, model])))
    const byName = new Map(rules.map((one) => [one.name, one.rules]))
    return models.map((model) => byName.get(model.table) ?? new Map())
  }

  /** Whether everything that the probe says is said by the live table too. */
  #fits({ table: name, column }: Probe, written: ReadonlyMap<string, string>): boolean {
    const live = this.#rules.get(name)?.rules ?? new Map<string, string>()
    const checks = new Set([...live].filter(([rule]) => isCheck(rule)).map(([, text]) => text))
    return [...written].every(([rule, text]) => {
      if (rule.startsWith('primary key') || rule.includes('probe_key')) return true
      return rule === `default of ${column}` ? live.get(rule) === text : !isCheck(rule) || checks.has(text)
    })
  }
}

function isCheck(rule: string): boolean {
  return rule.startsWith('check ') || rule.startsWith('range of ')
}

function plain(type: ColumnType): ColumnDefinition {
  const definition = { type, nullable: true, primaryKey: false, generated: false, unique: false }
  if (type === 'decimal') return { ...definition, precision: 18, scale: 0 }
  return type === 'enum' ? { ...definition, values: ['a'] } : definition
}

function typeIn(schema: SchemaEditor, definition: ColumnDefinition): string | undefined {
  const probe = table({ id: t.text().primaryKey(), probe: new Column({ ...definition, unique: false }) })
  const { columns } = schema.expected(resolveModel('holdfastProbe', probe as never))
  return columns.find(({ name }) => name === 'probe')?.type
}

/** The definitions that a column of this type may have been made from, the narrowest first; the last is what it is if none is. */
function typesOf(column: ExistingColumn, rules: TableRules | undefined, schema: SchemaEditor): ColumnDefinition[] {
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

function withDefaults({ table: name, column, definition }: Probe, rules: ReadonlyMap<string, TableRules>): Probe[] {
  const text = rules.get(name)?.rules.get(`default of ${column}`)
  if (text === undefined) return []
  const given: ColumnDefinition['default'][] = valuesIn(text, definition).map((value) => ({ kind: 'value', value }))
  if (definition.type === 'timestamp') given.unshift({ kind: 'now' })
  return given.map((one) => ({ table: name, column, definition: { ...definition, default: one as never } }))
}

const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const

function withChecks({ table: name, column, definition }: Probe, rules: ReadonlyMap<string, TableRules>): Probe[] {
  const field = typeScriptName(column) as string
  if (definition.type === 'json') return []
  return checksOn(rules.get(name), column).flatMap((text) => {
    const values = valuesIn(text, definition)
    const checks = [
      ...values.flatMap((value) => OPERATORS.map((operator) => ({ [operator]: value }))),
      ...(values.length > 1 ? [{ in: values }, { notIn: values }] : []),
      ...(values.length === 2
        ? [
            { gte: values[0], lte: values[1] },
            { gt: values[0], lt: values[1] },
          ]
        : []),
    ]
    return checks.map((check) => ({ table: name, column: databaseName(field), definition: { ...definition, check } }))
  })
}

/** The texts of the checks that speak of a column. */
function checksOn(rules: TableRules | undefined, column: string): string[] {
  return [...(rules?.rules ?? [])]
    .filter(([rule, text]) => isCheck(rule) && text.includes(column.replaceAll('"', '""')))
    .map(([, text]) => text)
}

/** The texts in quotes in SQL. */
function stringsIn(text: string): string[] {
  return [...text.replace(/"(?:[^"]|"")*"/g, '').matchAll(/'((?:[^']|'')*)'/g)].map(([, inner]) =>
    (inner as string).replaceAll("''", "'"),
  )
}

/** The constants in SQL that a column can hold. */
function valuesIn(text: string, definition: ColumnDefinition): unknown[] {
  const probe = table({ id: t.text().primaryKey(), probe: new Column({ ...definition, default: undefined as never }) })
  const column = resolveModel('holdfastProbe', probe as never).byName.get('probe')
  return constantsIn(text, definition).filter((value) => {
    const issues: Issue[] = []
    column?.accept(value, 'probe', issues)
    return issues.length === 0
  })
}

function constantsIn(text: string, { type, scale = 0 }: ColumnDefinition): unknown[] {
  const bytes = [...text.matchAll(/x'([\da-f]*)'|'\\x([\da-f]*)'/gi)].map(([, one, other]) => one ?? other ?? '')
  if (type === 'bytes') return bytes.map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
  const strings = stringsIn(text)
  if (type === 'text' || type === 'enum' || type === 'date' || type === 'uuid') return strings
  if (type === 'json') return strings.flatMap((one) => parsed(one))
  const bare = text.replace(/"(?:[^"]|"")*"/g, ' ').replace(/'(?:[^']|'')*'/g, ' ')
  if (type === 'boolean') {
    const words = [...bare.matchAll(/\b(true|false|0|1)\b/gi)].map(([word]) => word === 'true' || word === '1')
    return [...new Set([...words, true, false])]
  }
  const numbers = [...bare.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi)].map(([number]) => number)
  const found = [...strings, ...numbers]
  if (type === 'timestamp') return found.map((one) => new Date(/^-?\d+$/.test(one) ? Number(one) : one))
  if (type === 'bigint') return found.filter((one) => /^-?\d+$/.test(one)).map(BigInt)
  if (type === 'decimal')
    return found.map((one) => (scale > 0 && !one.includes('.') ? `${one}.${'0'.repeat(scale)}` : one))
  return found.map(Number)
}

function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)]
  } catch {
    return []
  }
}
