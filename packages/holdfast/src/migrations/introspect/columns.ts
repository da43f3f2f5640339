import type { ExistingColumn, ExistingTable, SchemaEditor, TableRules } from '../../backend/index.ts'
import { Column, type ColumnType, type Documents, type Table } from '../../schema/index.ts'
import { databaseName, typeScriptName } from '../../schema/names.ts'
import type { AnyColumn } from '../step.ts'
import { type ColumnDefinition, checksOn, plain, typeIn } from './column-definition.ts'
import { ambiguous, asBigint, typesOf } from './column-types.ts'
import { type Probe, Prober } from './prober.ts'
import { valuesIn } from './sql-constants.ts'

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

const countedKey: ColumnDefinition = { ...plain('integer'), nullable: false }

/** The column with the defaults that it may have. */
function withDefaults({ table: name, column, definition }: Probe, rules: ReadonlyMap<string, TableRules>): Probe[] {
  const text = rules.get(name)?.rules.get(`default of ${column}`)
  if (text === undefined) return []
  const given: ColumnDefinition['default'][] = valuesIn(text, definition).map((value) => ({ kind: 'value', value }))
  if (definition.type === 'timestamp') given.unshift({ kind: 'now' })
  return given.map((one) => ({ table: name, column, definition: { ...definition, default: one as never } }))
}

const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const

/** The column with the checks that it may have. */
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
