import fc from 'fast-check'
import type { Column } from '../../packages/holdfast/src/schema/column.ts'
import { defineSchema, type Schema, t, table } from '../../packages/holdfast/src/schema/index.ts'
import * as values from './values.ts'

// biome-ignore lint/suspicious/noExplicitAny: a column of any value.
type AnyColumn = Column<any, boolean, boolean>

/** How columns of a type are made, what they may hold, and a check that some of that passes. */
interface Kind {
  readonly make: () => AnyColumn
  readonly values: fc.Arbitrary<unknown>
  readonly check?: object
}

const kinds: Readonly<Record<string, Kind>> = {
  text: { make: () => t.text(), values: values.text, check: { ne: 'ab' } },
  integer: { make: () => t.integer(), values: values.integer, check: { gte: 0 } },
  bigint: { make: () => t.bigint(), values: values.bigint, check: { in: [0n, 1n, 2n ** 62n] } },
  real: { make: () => t.real(), values: values.real, check: { lt: 1e20 } },
  decimal: { make: () => t.decimal(6, 2), values: values.decimal, check: { lte: '12.50' } },
  boolean: { make: () => t.boolean(), values: fc.boolean() },
  timestamp: { make: () => t.timestamp(), values: values.at, check: { gt: new Date(0) } },
  date: { make: () => t.date(), values: values.day, check: { ne: '0001-01-01' } },
  uuid: { make: () => t.uuid(), values: values.uuid },
  bytes: { make: () => t.bytes(), values: values.bytes },
  enum: { make: () => t.enum(['a', "b'", 'C']), values: values.kind },
  json: { make: () => t.json(), values: values.data },
}

/** What a key may be, with few enough values that they meet. */
const keyKinds: Readonly<Record<string, Kind>> = {
  integer: { make: () => t.integer(), values: fc.integer({ min: -1, max: 6 }) },
  text: { make: () => t.text(), values: fc.constantFrom('', 'a', 'A', '"', '\u{1F600}', '\uFB01') },
  uuid: { make: () => t.uuid(), values: values.uuid },
  bigint: { make: () => t.bigint(), values: values.bigint },
  date: { make: () => t.date(), values: values.day },
  timestamp: { make: () => t.timestamp(), values: values.at },
}

/** Names that are keywords, need quotes, or look alike. */
const tableNames = ['order', 'userAccounts', 'it\'s "x"', 'größe', 'select'] as const
const columnNames = ['group', 'userId', 'user_name', 'a b', "it's", 'x"y', '\u{1F600}', 'default', 'Z', 'null'] as const

interface RandomColumn {
  readonly name: string
  readonly kind: string
  readonly nullable: boolean
  readonly unique: boolean
  readonly checked: boolean
  readonly fallback: unknown
}

interface RandomTable {
  readonly name: string
  /** The kinds of its one or two keys. */
  readonly keys: readonly string[]
  readonly columns: readonly RandomColumn[]
  /** The table it refers to, if that has one key: by its place; and what happens when a row there is deleted. */
  readonly refersTo: number | null
  readonly onDelete: 'restrict' | 'cascade' | 'setNull'
  readonly indexes: readonly (readonly number[])[]
  readonly uniqueTogether: readonly number[]
  readonly versioned: boolean
}

const column = (name: string): fc.Arbitrary<RandomColumn> =>
  fc.constantFrom(...Object.keys(kinds)).chain((kind) =>
    fc.record({
      name: fc.constant(name),
      kind: fc.constant(kind),
      nullable: fc.boolean(),
      unique: kind === 'json' ? fc.constant(false) : fc.boolean().map((chosen) => chosen && name.length % 2 === 0),
      checked: fc.boolean(),
      fallback: fc.option(valuesOf(kind), { freq: 1 }),
    }),
  )

const randomTable = (name: string): fc.Arbitrary<RandomTable> =>
  fc.record({
    name: fc.constant(name),
    keys: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...Object.keys(keyKinds)).map((kind) => [kind]) },
      { weight: 1, arbitrary: fc.tuple(...[1, 2].map(() => fc.constantFrom(...Object.keys(keyKinds)))) },
    ),
    columns: fc
      .uniqueArray(fc.constantFrom(...columnNames), { minLength: 1, maxLength: 6 })
      .chain((names) => fc.tuple(...names.map(column))),
    refersTo: fc.option(fc.nat(2)),
    onDelete: fc.constantFrom('restrict', 'cascade', 'setNull'),
    indexes: fc.array(fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
    uniqueTogether: fc.uniqueArray(fc.nat(5), { minLength: 2, maxLength: 2 }),
    versioned: fc.boolean(),
  })

/** One to three tables that may refer to themselves and to those before them. */
export const randomTables: fc.Arbitrary<RandomTable[]> = fc
  .uniqueArray(fc.constantFrom(...tableNames), { minLength: 1, maxLength: 3 })
  .chain((names) => fc.tuple(...names.map(randomTable)))

function valuesOf(kind: string): fc.Arbitrary<unknown> {
  return (kinds[kind] as Kind).values
}

/** A field of a table, and what it may be given. */
export interface RandomField {
  readonly name: string
  readonly values: fc.Arbitrary<unknown>
  readonly kind: string
  /** Whether an insert may leave it out. */
  readonly optional: boolean
  readonly nullable: boolean
  readonly key: boolean
}

/** A table as operations are made up for it. */
export interface DescribedTable {
  readonly name: string
  readonly fields: readonly RandomField[]
  readonly keys: readonly string[]
}

/** Which table a table refers to. */
function target(tables: readonly RandomTable[], at: number): RandomTable | undefined {
  const { refersTo } = tables[at] as RandomTable
  const referred = refersTo === null || refersTo > at ? undefined : tables[refersTo]
  return referred?.keys.length === 1 ? referred : undefined
}

/** The fields of the tables. */
export function describeTables(tables: readonly RandomTable[]): DescribedTable[] {
  return tables.map(({ name, keys, columns }, at) => {
    const referred = target(tables, at)
    const keyNames = keys.map((_, index) => `key${index + 1}`)
    const fields = [
      ...keys.map((kind, index) => fieldOf(keyNames[index] as string, kind, keyKinds, { key: true })),
      ...columns.map((one) =>
        fieldOf(one.name, one.kind, kinds, { nullable: one.nullable, optional: one.fallback !== null || one.nullable }),
      ),
      ...(referred === undefined
        ? []
        : [fieldOf('parent', referred.keys[0] as string, keyKinds, { nullable: true, optional: true })]),
    ]
    return { name, keys: keyNames, fields }
  })
}

function fieldOf(
  name: string,
  kind: string,
  from: Readonly<Record<string, Kind>>,
  { nullable = false, optional = false, key = false }: Partial<Pick<RandomField, 'nullable' | 'optional' | 'key'>>,
): RandomField {
  return { name, kind, values: (from[kind] as Kind).values, nullable, optional, key }
}

/** The schema of the tables, whose names end in a number, so that many fit into one database. */
export function schemaOf(tables: readonly RandomTable[], number: number): Schema {
  return defineSchema(
    Object.fromEntries(tables.map((one, at) => [`${one.name}${number}`, declared(tables, at, number)])),
  )
}

function declared(tables: readonly RandomTable[], at: number, number: number) {
  const { keys, columns, onDelete, indexes, uniqueTogether, versioned } = tables[at] as RandomTable
  const referred = target(tables, at)
  const keyColumns = keys.map((kind, index): [string, AnyColumn] => {
    const made = (keyKinds[kind] as Kind).make()
    return [`key${index + 1}`, keys.length === 1 ? made.primaryKey() : made]
  })
  const reference = referred && (keyKinds[referred.keys[0] as string] as Kind).make().nullable()
  const indexable = columns.filter(({ kind }) => kind !== 'json').map(({ name }) => name)
  const chosen = (places: readonly number[]) => places.flatMap((place) => indexable[place] ?? [])
  const together = chosen(uniqueTogether)
  const made: Record<string, AnyColumn> = {
    ...Object.fromEntries(keyColumns),
    ...Object.fromEntries(columns.map((one) => [one.name, columnOf(one)])),
    ...(reference && { parent: reference.references(`${referred?.name}${number}`, { onDelete }) }),
  }
  return table(made, {
    ...(keys.length > 1 && { primaryKey: keyColumns.map(([name]) => name) }),
    indexes: distinct(indexes.map(chosen).filter((names) => names.length > 0)),
    unique: together.length === 2 ? [together] : [],
    versioned,
  })
}

function columnOf({ kind, nullable, unique, checked, fallback }: RandomColumn): AnyColumn {
  const { make, check } = kinds[kind] as Kind
  let made = make()
  if (nullable) made = made.nullable()
  if (unique) made = made.unique()
  if (checked && check !== undefined) made = made.check(check)
  return fallback === null ? made : made.default(fallback)
}

function distinct(lists: readonly string[][]): string[][] {
  return [...new Map(lists.map((list) => [list.join('\0'), list])).values()]
}
