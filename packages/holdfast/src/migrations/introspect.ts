import type { ExistingTable, SchemaEditor, TableRules } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import {
  Column,
  type Documents,
  defineSchema,
  documents,
  type ReferenceAction,
  type Schema,
  type Table,
  table,
} from '../schema/index.ts'
import { typeScriptName } from '../schema/names.ts'
import { columnsOf, type FoundColumn, type FoundTable } from './introspect-column.ts'
import { pathsIn } from './json-paths.ts'
import { isParked } from './parking.ts'
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

interface Others {
  readonly names: ReadonlyMap<string, string>
  readonly usable: readonly ExistingTable[]
}

function declare(
  { name, primaryKey }: ExistingTable,
  columns: readonly FoundColumn[],
  rules: TableRules | undefined,
  others: Others,
  notes: string[],
): Table | Documents {
  const field = (column: string): string => typeScriptName(column) as string
  const unique = new Set<string>()
  const options: { indexes: string[][]; unique: string[][]; sparse: Set<string> } = {
    indexes: [],
    unique: [],
    sparse: new Set(),
  }
  for (const index of rules?.indexes ?? []) {
    const text = rules?.rules.get(`index ${index.name}`) ?? ''
    // One of Holdfast's own, for all paths into a column.
    if (text.includes('jsonb_path_ops')) continue
    const known = fieldsIn(index.columns, text, columns)
    if (known === null) {
      notes.push(`${name}: the index ${index.name} is over an expression`)
      continue
    }
    if (index.partial) {
      const nullable = known.filter((one) => columns.find((column) => column.name === one)?.definition.nullable)
      for (const one of nullable) options.sparse.add(one)
    }
    if (index.unique && known.length === 1 && index.columns.length === 1 && index.columns[0] !== null)
      unique.add(known[0] as string)
    else options[index.unique ? 'unique' : 'indexes'].push(known)
  }
  if (isDocuments(primaryKey, columns)) {
    const inDocument = (lists: string[][]): string[][] =>
      lists.map((fields) => fields.map((one) => (one.startsWith('data.') ? one.slice('data.'.length) : one)))
    return documents({ indexes: inDocument(options.indexes), unique: inDocument(options.unique) })
  }
  const references = referencesOf(name, rules, others, notes)
  const declared = columns.map((column): [string, FoundColumn['column']] => {
    const { definition } = column
    const key = primaryKey.length === 1 && field(primaryKey[0] as string) === column.name
    const reference = references.get(column.name)
    const full = {
      ...definition,
      unique: unique.has(column.name),
      primaryKey: key,
      ...(reference && { references: reference }),
    }
    return [column.name, new Column(full)]
  })
  return table(Object.fromEntries(declared), {
    ...(primaryKey.length > 1 && { primaryKey: primaryKey.map(field) }),
    ...(options.indexes.length > 0 && { indexes: options.indexes }),
    ...(options.unique.length > 0 && { unique: options.unique }),
    ...(options.sparse.size > 0 && { sparse: [...options.sparse] }),
  } as never) as unknown as Table
}

const ACTIONS: Readonly<Record<string, ReferenceAction>> = {
  'no action': 'restrict',
  restrict: 'restrict',
  cascade: 'cascade',
  'set null': 'setNull',
}

function referencesOf(name: string, rules: TableRules | undefined, { names, usable }: Others, notes: string[]) {
  const found = new Map<string, { model: string; onDelete: ReferenceAction; onUpdate: ReferenceAction }>()
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
