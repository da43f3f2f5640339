import type { Issue } from '../base/errors.ts'
import { acceptorOf } from './accept.ts'
import { type CachedReads, checkCachedReads } from './cached-reads.ts'
import { checkCollisions, checkDeclaredName, isReservedColumn, KEPT_BY_DATABASES } from './check-names.ts'
import { Column, type ColumnDefinition, t } from './column.ts'
import type { Columns, Documents, Table, TableOptions } from './declare.ts'
import { describe } from './describe.ts'
import { historyOf } from './history-option.ts'
import { DOCUMENT_COLUMN, type ForeignKey, type Model, type ModelColumn, type Relation } from './model.ts'
import { acceptModelOptions } from './model-options.ts'
import { constraintName, databaseName } from './names.ts'
import { checksOf, indexesOf, type NamedDefinition } from './resolve-indexes.ts'
import { checkStandard } from './standard-schema.ts'

/** A model while it is being resolved: its foreign keys and relations need the other models first. */
export type Draft = { -readonly [Name in keyof Model]: Model[Name] } & { relations: Map<string, Relation> }

/** What one declaration says, without what it takes the other models to know. */
export function draftOf(name: string, declaration: Table | Documents, issues: Issue[]): Draft {
  const isTable = declaration.kind === 'table'
  const options: TableOptions = acceptModelOptions(name, declaration, issues)
  if (!isTable && declaration.schema !== undefined) checkStandard(declaration.schema, `${name}.schema`, issues)
  const definitions = isTable
    ? tableColumns(name, declaration.columns, options.versioned === true, issues)
    : documentColumns()
  const columns = definitions.map(([field, definition]) => columnOf(`${name}.${field}`, field, definition, issues))
  const table = databaseName(name)
  checkCollisions(
    columns.map((column) => [column.name, column.column]),
    `columns of ${name}`,
    issues,
  )
  const model: Draft = {
    name,
    table,
    kind: declaration.kind,
    columns,
    byName: new Map(columns.map((column) => [column.name, column])),
    primaryKey: primaryKeyOf(name, definitions, options.primaryKey, issues),
    indexes: [],
    foreignKeys: definitions.flatMap(([field, definition]) => foreignKeyOf(table, field, definition)),
    checks: [],
    ...cacheOf(name, options.cache, issues),
    ...(options.shortLived === true && { shortLived: true }),
    versioned: !isTable || options.versioned === true,
    ...(!isTable && declaration.schema !== undefined && { schema: declaration.schema }),
    relations: new Map(),
    ...historyOf(name, options, issues),
  }
  model.indexes = indexesOf(model, definitions, options, issues)
  model.checks = checksOf(model, definitions, options.checks ?? [])
  if (model.checks.some(({ fields }) => fields.includes('reach')))
    issues.push({ path: `${name}.checks`, reason: 'cannot ask what is within reach in a graph' })
  return model
}

function cacheOf(name: string, cache: unknown, issues: Issue[]): Pick<Model, 'cache'> {
  if (cache === undefined) return {}
  const reason = checkCachedReads(cache)
  if (reason !== undefined) issues.push({ path: `${name}.cache`, reason })
  return { cache: cache as CachedReads }
}

function tableColumns(name: string, columns: Columns, versioned: boolean, issues: Issue[]): NamedDefinition[] {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) {
    issues.push({ path: name, reason: `must have an object of columns, got ${describe(columns)}` })
    return []
  }
  const named: NamedDefinition[] = []
  for (const [field, column] of Object.entries(columns)) {
    checkDeclaredName(field, `${name}.${field}`, issues)
    if (isReservedColumn(field)) issues.push({ path: `${name}.${field}`, reason: KEPT_BY_DATABASES })
    if (column instanceof Column) named.push([field, column.definition])
    else issues.push({ path: `${name}.${field}`, reason: 'must be a column, such as t.text()' })
  }
  if (!versioned) return named
  if (named.some(([field]) => field === 'version')) {
    issues.push({ path: `${name}.version`, reason: 'is added by `versioned: true` and cannot be declared beside it' })
  }
  return [...named, ['version', t.integer().default(1).definition]]
}

function documentColumns(): NamedDefinition[] {
  return [
    ['id', t.id().definition],
    [DOCUMENT_COLUMN, t.json().definition],
    ['version', t.integer().default(1).definition],
    ['createdAt', t.timestamp().defaultNow().definition],
    ['updatedAt', t.timestamp().defaultNow().definition],
  ]
}

function columnOf(path: string, name: string, definition: ColumnDefinition, issues: Issue[]): ModelColumn {
  const { type, nullable, generated, values, precision, scale, schema } = definition
  const column: ModelColumn = {
    name,
    column: databaseName(name),
    type,
    nullable,
    generated,
    ...(definition.default !== undefined && { default: definition.default }),
    ...(values !== undefined && { values }),
    ...(precision !== undefined && { precision }),
    ...(scale !== undefined && { scale }),
    ...(schema !== undefined && { schema }),
    accept: acceptorOf(definition),
  }
  if (generated && type !== 'integer')
    issues.push({ path, reason: 'can only be generated when it is an integer or a uuid' })
  if (generated && !definition.primaryKey)
    issues.push({ path, reason: 'can only be generated when it is the primary key' })
  if (type === 'decimal' && !(validDigits(precision, 1, 18) && validDigits(scale, 0, precision ?? 0))) {
    issues.push({ path, reason: 'must have a precision of 1 to 18 and a scale of 0 to that' })
  }
  if (type === 'enum' && new Set(values).size !== (values?.length || -1)) {
    issues.push({ path, reason: 'must list different values, at least one' })
  }
  if (definition.default?.kind === 'now' && type !== 'timestamp') {
    issues.push({ path, reason: 'can only default to now when it is a timestamp' })
  }
  if (definition.default?.kind === 'value' && definition.default.value !== null) {
    column.accept(definition.default.value, `${path} default`, issues)
  }
  return column
}

function validDigits(value: number | undefined, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}

function primaryKeyOf(
  name: string,
  columns: readonly NamedDefinition[],
  option: readonly string[] | undefined,
  issues: Issue[],
): readonly string[] {
  const marked = columns.filter(([, definition]) => definition.primaryKey).map(([field]) => field)
  const key = option ?? marked
  if (marked.length + (option === undefined ? 0 : 1) !== 1) {
    issues.push({ path: name, reason: 'must have one primary key: a column, or the option primaryKey for several' })
  }
  for (const field of key) {
    const definition = columns.find(([other]) => other === field)?.[1]
    if (definition === undefined) issues.push({ path: `${name}.primaryKey`, reason: `names no column ${field}` })
    else if (definition.nullable)
      issues.push({ path: `${name}.${field}`, reason: 'is part of the primary key and cannot be nullable' })
    else if (definition.type === 'json')
      issues.push({ path: `${name}.${field}`, reason: 'is JSON and cannot be a primary key' })
  }
  return key
}

function foreignKeyOf(table: string, field: string, definition: ColumnDefinition): ForeignKey[] {
  if (definition.references === undefined) return []
  return [{ name: constraintName(table, [databaseName(field)], 'foreign'), column: field, ...definition.references }]
}
