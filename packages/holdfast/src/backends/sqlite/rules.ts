import type { TableRules } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import { schemaSteps, sqliteDialect } from '../sql/index.ts'
import type { Database } from './driver.ts'

/** The rules of the tables that exist. */
export function inspectRules(database: Database): TableRules[] {
  const tables = database
    .prepareRead(
      `select name, sql from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name`,
    )
    .all() as [string, string][]
  return tables.map(([name, text]) => ({
    name,
    rules: new Map(rulesOf(database, name, text)),
    indexes: indexesOf(database, name),
    references: referencesOf(database, name),
  }))
}

function indexesOf(database: Database, table: string): TableRules['indexes'] {
  const indexes = database
    .prepareRead(`select name, "unique", partial from pragma_index_list(?) where origin <> 'pk' order by name`)
    .all(table) as [string, number, number][]
  return indexes.map(([name, unique, partial]) => {
    const columns = database
      .prepareRead('select name from pragma_index_xinfo(?) where key = 1 order by seqno')
      .all(name) as [string | null][]
    return { name, unique: unique === 1, partial: partial === 1, columns: columns.flat() }
  })
}

function referencesOf(database: Database, table: string): TableRules['references'] {
  const found = database
    .prepareRead(
      'select id, "table", "from", "to", on_delete, on_update from pragma_foreign_key_list(?) order by id, seq',
    )
    .all(table) as [number, string, string, string | null, string, string][]
  const keys = new Map<number, [string, string, string | null, string, string][]>()
  for (const [id, ...rest] of found) keys.set(id, [...(keys.get(id) ?? []), rest])
  return [...keys.values()].map((parts) => {
    const [target, , , onDelete, onUpdate] = parts[0] as (typeof parts)[number]
    return {
      columns: parts.map(([, from]) => from),
      table: target,
      references: parts.flatMap(([, , to]) => (to === null ? [] : [to])),
      onDelete: onDelete.toLowerCase(),
      onUpdate: onUpdate.toLowerCase(),
    }
  })
}

/** The rules of tables made from models, in a database of their own. */
export function expectedRules(database: Database, models: Models): TableRules[] {
  const changes = [...models.values()].map((model) => ({ kind: 'createTable' as const, model }))
  for (const text of schemaSteps(changes, new Set(), models, sqliteDialect)) database.exec(String(text))
  return inspectRules(database)
}

function rulesOf(database: Database, table: string, text: string): [string, string][] {
  const ask = (query: string): unknown[][] => database.prepareRead(query).all(table) as unknown[][]
  const indexes = ask(`select name, sql from sqlite_schema where tbl_name = ? and type = 'index' and sql is not null`)
  const references = ask(`select "from", "table", "to", on_delete, on_update from pragma_foreign_key_list(?)`)
  const columns = ask(`select name, dflt_value, pk from pragma_table_info(?) where dflt_value is not null or pk > 0`)
  const key = columns
    .filter(([, , place]) => (place as number) > 0)
    .sort((left, right) => Number(left[2]) - Number(right[2]))
  const isGenerated = /\bautoincrement\b/i.test(withoutNames(text))
  return [
    [`primary key ${table}`, `${key.map(([column]) => column).join(', ')}${isGenerated ? ' generated' : ''}`],
    ...indexes.map(([name, sql]): [string, string] => [
      `index ${name}`,
      spaced(String(sql)).replace(/^create (unique )?index if not exists/i, 'create $1index'),
    ]),
    ...references.map(([from, to, column, onDelete, onUpdate]): [string, string] => [
      `foreign key of ${from}`,
      `${to} (${column}) on delete ${onDelete} on update ${onUpdate}`,
    ]),
    ...columns
      .filter(([, given]) => given !== null)
      .map(([column, given]): [string, string] => [`default of ${column}`, spaced(String(given))]),
    ...checksOf(text),
  ]
}

/** What is neither a name in quotes nor a text. */
function withoutNames(text: string): string {
  return text.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, '""')
}

function spaced(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The checks with names in the text of a table: SQLite tells them nowhere else. */
function checksOf(text: string): [string, string][] {
  const checks: [string, string][] = []
  for (const found of text.matchAll(/constraint "((?:[^"]|"")*)" check \(/gi)) {
    const start = found.index + found[0].length
    checks.push([
      `check ${(found[1] as string).replaceAll('""', '"')}`,
      spaced(text.slice(start, closingOf(text, start))),
    ])
  }
  return checks
}

/** Where the parenthesis that is open at a place is closed; those in names and texts do not count. */
function closingOf(text: string, from: number): number {
  const tokens = /"(?:[^"]|"")*"|'(?:[^']|'')*'|[()]/g
  tokens.lastIndex = from
  for (let depth = 1, token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    if (token[0] === '(') depth++
    if (token[0] === ')' && --depth === 0) return token.index
  }
  return text.length
}
