import type { ExistingTable, SchemaEditor, TableRules } from '../../backend/index.ts'
import { ConfigurationError } from '../../base/errors.ts'
import {
  Column,
  type Documents,
  defineSchema,
  documents,
  type ReferenceAction,
  type Schema,
  type Table,
  table,
} from '../../schema/index.ts'
import { typeScriptName } from '../../schema/names.ts'
import { isParked } from '../parking.ts'
import { columnsOf, type FoundColumn, type FoundTable } from './columns.ts'
import { type FoundIndexes, indexesOf } from './indexes.ts'
import { renderSchema } from './render-schema.ts'

/** The schema of a database that was made without Holdfast, or before its migrations. */
export interface Introspection {
  readonly schema: Schema
  /** The file that declares it, in TypeScript. */
  readonly text: string
  /** What of the database the schema does not say, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Reads the tables of a database into a schema. What a schema can say is compared with how the database says it, so what is declared is what is
 * there; the rest is noted.
 *
 * @param others the tables that are left alone.
 */
export async function introspect(schema: SchemaEditor, others: ReadonlySet<string>): Promise<Introspection> {
  const notes: string[] = []
  const rules = new Map((await schema.inspectRules()).map((one) => [one.name, one]))
  const tables = (await schema.inspect()).filter(
    ({ name }) => !others.has(name) && !name.startsWith('holdfast_') && !isParked(name),
  )
  const usable = tables.filter((one) => isUsable(one, notes))
  const names = new Map(usable.map(({ name }) => [name, typeScriptName(name) as string]))
  const columns = await columnsOf(schema, usable, rules)
  const found = usable.map((one): FoundTable => {
    const own = columns.get(one.name) ?? []
    for (const { note } of own) if (note !== undefined) notes.push(`${one.name}: ${note}`)
    const name = names.get(one.name) as string
    return { name, columns: own, declaration: declare(one, own, rules.get(one.name), { names, usable }, notes) }
  })
  return { schema: evaluated(found), text: renderSchema(found), notes }
}

function evaluated(found: readonly FoundTable[]): Schema {
  return defineSchema(Object.fromEntries(found.map(({ name, declaration }) => [name, declaration])))
}

function isUsable({ name, columns, primaryKey }: ExistingTable, notes: string[]): boolean {
  const unknown = [name, ...columns.map((column) => column.name)].filter((one) => typeScriptName(one) === null)
  if (unknown.length > 0) {
    notes.push(`${name} is left out: a schema cannot say ${unknown.join(', ')}, only names in small letters`)
    return false
  }
  if (primaryKey.length > 0) return true
  notes.push(`${name} is left out: it has no primary key`)
  return false
}

/** What the table of a collection is made of. */
const OF_DOCUMENTS: Readonly<Record<string, string>> = {
  id: 'text',
  data: 'json',
  version: 'integer',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
}

function isDocuments(primaryKey: readonly string[], columns: readonly FoundColumn[]): boolean {
  const fits = ({ name, type, maybe, definition }: FoundColumn): boolean =>
    (OF_DOCUMENTS[name] === type || maybe.includes(OF_DOCUMENTS[name] as never)) && !definition.nullable
  return primaryKey.join() === 'id' && columns.length === Object.keys(OF_DOCUMENTS).length && columns.every(fits)
}

/** The tables that a reference may be to. */
interface Others {
  /** What they are called in TypeScript. */
  readonly names: ReadonlyMap<string, string>
  readonly usable: readonly ExistingTable[]
}

function declare(
  table: ExistingTable,
  columns: readonly FoundColumn[],
  rules: TableRules | undefined,
  others: Others,
  notes: string[],
): Table | Documents {
  const indexes = indexesOf(table.name, columns, rules, notes)
  if (isDocuments(table.primaryKey, columns)) return declareDocuments(indexes)
  return declareTable(table, columns, indexes, referencesOf(table.name, rules, others, notes))
}

function declareDocuments({ indexes, unique }: FoundIndexes): Documents {
  const inDocument = (lists: readonly string[][]): string[][] =>
    lists.map((fields) => fields.map((one) => (one.startsWith('data.') ? one.slice('data.'.length) : one)))
  return documents({ indexes: inDocument(indexes), unique: inDocument(unique) })
}

function declareTable(
  { primaryKey }: ExistingTable,
  columns: readonly FoundColumn[],
  { indexes, unique, uniqueColumns, sparse }: FoundIndexes,
  references: ReadonlyMap<string, FoundReference>,
): Table {
  const key = primaryKey.map((column) => typeScriptName(column) as string)
  const declared = columns.map(({ name, definition }): [string, FoundColumn['column']] => {
    const reference = references.get(name)
    const full = {
      ...definition,
      unique: uniqueColumns.has(name),
      primaryKey: key.length === 1 && key[0] === name,
      ...(reference && { references: reference }),
    }
    return [name, new Column(full)]
  })
  return table(Object.fromEntries(declared), {
    ...(key.length > 1 && { primaryKey: key }),
    ...(indexes.length > 0 && { indexes }),
    ...(unique.length > 0 && { unique }),
    ...(sparse.size > 0 && { sparse: [...sparse] }),
  } as never) as unknown as Table
}

interface FoundReference {
  readonly model: string
  readonly onDelete: ReferenceAction
  readonly onUpdate: ReferenceAction
}

const ACTIONS: Readonly<Record<string, ReferenceAction>> = {
  'no action': 'restrict',
  restrict: 'restrict',
  cascade: 'cascade',
  'set null': 'setNull',
}

/** The references of columns to primary keys. */
function referencesOf(
  name: string,
  rules: TableRules | undefined,
  { names, usable }: Others,
  notes: string[],
): Map<string, FoundReference> {
  const found = new Map<string, FoundReference>()
  for (const { columns, table: target, references, onDelete, onUpdate } of rules?.references ?? []) {
    const model = names.get(target)
    const key = usable.find((one) => one.name === target)?.primaryKey ?? []
    const [column] = columns
    const isToKey = key.length === 1 && (references.length === 0 || references[0] === key[0])
    const [deleting, updating] = [ACTIONS[onDelete], ACTIONS[onUpdate]]
    if (column === undefined || columns.length > 1 || model === undefined || !isToKey || !deleting || !updating) {
      notes.push(`${name}: the reference of ${columns.join(', ')} to ${target} is not one that a schema can say`)
    } else found.set(typeScriptName(column) as string, { model, onDelete: deleting, onUpdate: updating })
  }
  return found
}

/** @throws ConfigurationError where there is nothing to read. */
export function assertFound({ schema, notes }: Introspection): void {
  if (schema.models.size > 0) return
  throw new ConfigurationError(`The database has no table that a schema can say. ${notes.join('. ')}`.trim(), {
    hint: 'Name the right database, or write the schema and run `npx holdfast migrate generate first`.',
  })
}
