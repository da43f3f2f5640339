import { ConfigurationError, type Issue, ValidationError } from '../base/errors.ts'
import { acceptorOf, describe } from './accept.ts'
import { type CachedReads, checkCachedReads } from './cached-reads.ts'
import { checkGraph, checkSchema } from './check-graph.ts'
import { Column, type ColumnDefinition, REFERENCE_ACTIONS, t } from './column.ts'
import type { Columns, Declarations, Documents, Relations, Table, TableOptions } from './declare.ts'
import { tellApart } from './distinct-names.ts'
import { historyOf } from './history-option.ts'
import {
  DOCUMENT_COLUMN,
  type FieldPath,
  type ForeignKey,
  type Model,
  type ModelCheck,
  type ModelColumn,
  type ModelIndex,
  type Relation,
  resolveField,
} from './model.ts'
import { acceptModelOptions } from './model-options.ts'
import { byteLength, constraintName, databaseName, MAX_NAME_BYTES } from './names.ts'
import { checkOptions, optionRules } from './options.ts'
import { checkQueueOptions, type QueueDeclaration } from './queue.ts'

/** Words that combine conditions and so cannot be fields. */
const RESERVED = new Set(['and', 'or', 'not', 'reach', '__proto__'])

/** SQLite refuses tables of its own kind of name; Postgres would take the name for one of its catalog's. */
const RESERVED_TABLES = /^(sqlite|pg)_/i

/** Every table of Postgres has these already. */
const RESERVED_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

const KEPT_BY_DATABASES = 'has a name that a database keeps for itself'

const KINDS = ['table', 'documents', 'queue', 'graph']

/** A model while it is being resolved: its foreign keys and relations need the other models first. */
type Draft = { -readonly [Name in keyof Model]: Model[Name] } & { relations: Map<string, Relation> }

/**
 * Turns declarations into models.
 *
 * @throws ConfigurationError naming every mistake at once.
 */
export function resolveModels(declarations: Declarations, relations: Relations): Map<string, Model> {
  const issues: Issue[] = []
  const models = new Map<string, Draft>()
  assertSchema('declarations', declarations)
  assertSchema('relations', relations)
  for (const [name, declaration] of Object.entries(declarations)) {
    checkName(name, name, issues)
    if (!KINDS.includes(declaration?.kind)) {
      issues.push({
        path: name,
        reason: `must be table(…), documents(…), queue(…) or graph(…), got ${describe(declaration)}`,
      })
      continue
    }
    if (RESERVED_TABLES.test(databaseName(name))) issues.push({ path: name, reason: KEPT_BY_DATABASES })
    if (declaration.kind === 'graph') checkGraph(name, declaration, issues)
    else if (declaration.kind === 'queue') checkQueue(name, declaration, issues)
    else models.set(name, draftOf(name, declaration, issues))
  }
  checkCollisions(
    [...models.values()].map((model) => [model.name, model.table]),
    'models',
    issues,
  )
  checkCollisions(
    Object.entries(declarations).flatMap(([name, declared]) =>
      declared?.kind === 'graph' ? [[name, databaseName(name)]] : [],
    ),
    'graphs',
    issues,
  )
  for (const model of models.values()) checkReferences(model, models, issues)
  for (const [name, declared] of Object.entries(relations)) {
    const model = models.get(name)
    if (model === undefined)
      issues.push({ path: `relations.${name}`, reason: 'belongs to no table or documents of the schema' })
    else addRelations(model, declared ?? {}, models, issues)
  }
  tellApart([...models.values()])
  if (issues.length > 0) throw wrongSchema(issues)
  return models
}

/** @throws ConfigurationError for what names nothing. */
function assertSchema(part: string, named: unknown): void {
  if (typeof named === 'object' && named !== null && !Array.isArray(named)) return
  throw wrongSchema([{ path: part, reason: `must be an object by names, got ${describe(named)}` }])
}

/** The error for a schema with these mistakes. */
function wrongSchema(issues: readonly Issue[]): ConfigurationError {
  const { message } = new ValidationError('The schema is wrong', issues)
  return new ConfigurationError(`${message}.`, { hint: 'Correct the schema.' })
}

/**
 * Resolves one model that stands alone: a feature's own table, or a collection nobody declared.
 *
 * @throws ConfigurationError naming every mistake.
 */
export function resolveModel(name: string, declaration: Table | Documents): Model {
  return resolveModels({ [name]: declaration }, {}).get(name) as Model
}

function checkQueue(name: string, { schema, resultSchema, options }: QueueDeclaration, issues: Issue[]): void {
  checkQueueOptions(name, options, issues)
  for (const [option, one] of Object.entries({ schema, resultSchema }))
    if (one !== undefined) checkSchema(one, `${name}.${option}`, issues)
}

function draftOf(name: string, declaration: Table | Documents, issues: Issue[]): Draft {
  const isTable = declaration.kind === 'table'
  const options: TableOptions = acceptModelOptions(name, declaration, issues)
  if (!isTable && declaration.schema !== undefined) checkSchema(declaration.schema, `${name}.schema`, issues)
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

type NamedDefinition = readonly [string, ColumnDefinition]

function tableColumns(name: string, columns: Columns, versioned: boolean, issues: Issue[]): NamedDefinition[] {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) {
    issues.push({ path: name, reason: `must have an object of columns, got ${describe(columns)}` })
    return []
  }
  const named: NamedDefinition[] = []
  for (const [field, column] of Object.entries(columns)) {
    checkName(field, `${name}.${field}`, issues)
    if (RESERVED_COLUMNS.has(databaseName(field))) issues.push({ path: `${name}.${field}`, reason: KEPT_BY_DATABASES })
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
  if (generated && type !== 'integer') issues.push({ path, reason: 'can only be generated when it is an integer' })
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

function indexesOf(
  model: Model,
  columns: readonly NamedDefinition[],
  options: {
    readonly indexes?: readonly (string | readonly string[])[]
    readonly unique?: readonly (string | readonly string[])[]
    readonly sparse?: readonly string[]
  },
  issues: Issue[],
): ModelIndex[] {
  for (const name of options.sparse ?? []) {
    if (model.byName.get(name)?.nullable !== true)
      issues.push({ path: `${model.name}.sparse`, reason: `names no nullable column ${name}` })
  }
  const wanted: [string | readonly string[], boolean][] = [
    ...columns.filter(([, { unique }]) => unique).map(([field]): [string, boolean] => [field, true]),
    ...(options.unique ?? []).map((fields): [string | readonly string[], boolean] => [fields, true]),
    ...(options.indexes ?? []).map((fields): [string | readonly string[], boolean] => [fields, false]),
  ]
  const indexes = new Map<string, ModelIndex>()
  for (const [written, unique] of wanted) {
    const names = typeof written === 'string' ? [written] : written
    const fields: FieldPath[] = []
    for (const name of names) {
      const field = resolveField(model, name)
      if (field === null)
        issues.push({ path: `${model.name}.${unique ? 'unique' : 'indexes'}`, reason: `names no field ${name}` })
      else if (field.path.length === 0 && model.byName.get(field.column)?.type === 'json') {
        issues.push({ path: `${model.name}.${name}`, reason: 'is JSON; index a path into it' })
      } else fields.push(field)
    }
    const parts = fields.map(({ column, path }) =>
      model.kind === 'documents' && path.length > 0 ? path.join('_') : [databaseName(column), ...path].join('_'),
    )
    const name = constraintName(model.table, parts, unique ? 'unique' : 'index')
    const sparse = (options.sparse ?? []).filter((column) => names.includes(column))
    if (fields.length > 0)
      indexes.set(JSON.stringify([fields, unique]), { name, fields, unique, ...(sparse.length > 0 && { sparse }) })
  }
  return [...indexes.values()]
}

function checksOf(model: Model, columns: readonly NamedDefinition[], checks: readonly object[]): ModelCheck[] {
  const ofColumns = columns
    .filter(([, { check }]) => check !== undefined)
    .map(
      ([field, { check }]): ModelCheck => ({
        name: constraintName(model.table, [databaseName(field)], 'check'),
        fields: [field],
        where: { [field]: check },
        nullPasses: field,
      }),
    )
  const ofTable = checks.map(
    (where, index): ModelCheck => ({
      name: constraintName(model.table, [String(index + 1)], 'check'),
      fields: fieldsOf(where),
      where: where as Record<string, unknown>,
    }),
  )
  return [...ofColumns, ...ofTable]
}

function fieldsOf(where: object): string[] {
  const fields = Object.entries(where).flatMap(([name, inner]) => {
    if (name === 'and' || name === 'or') return (inner as object[]).flatMap(fieldsOf)
    return name === 'not' ? fieldsOf(inner as object) : [name]
  })
  return [...new Set(fields)]
}

const REFERENCE_OPTIONS = {
  onDelete: optionRules.oneOf(REFERENCE_ACTIONS),
  onUpdate: optionRules.oneOf(REFERENCE_ACTIONS),
}

function checkReferences(model: Model, models: ReadonlyMap<string, Model>, issues: Issue[]): void {
  for (const { name: _, column, model: target, ...actions } of model.foreignKeys) {
    const path = `${model.name}.${column}`
    const { onDelete, onUpdate } = actions
    checkOptions(actions, REFERENCE_OPTIONS, issues, `${path}.`)
    const here = model.byName.get(column)
    const key = models.get(target)?.primaryKey ?? []
    const there = models.get(target)?.byName.get(key[0] ?? '')
    if (there === undefined)
      issues.push({ path, reason: `refers to ${target}, which is not a table or documents of the schema` })
    else if (key.length > 1) issues.push({ path, reason: `refers to ${target}, whose key has several columns` })
    else if (there.type !== here?.type) {
      issues.push({ path, reason: `is ${here?.type} but refers to a key that is ${there.type}` })
    }
    if ((onDelete === 'setNull' || onUpdate === 'setNull') && here?.nullable !== true) {
      issues.push({ path, reason: 'must be nullable to be set to null' })
    }
  }
}

function addRelations(
  model: Draft,
  declared: NonNullable<Relations[string]>,
  models: ReadonlyMap<string, Model>,
  issues: Issue[],
): void {
  for (const [name, relation] of Object.entries(declared)) {
    const path = `relations.${model.name}.${name}`
    if (relation?.kind !== 'one' && relation?.kind !== 'many') {
      issues.push({ path, reason: `must be one(…) or many(…), got ${describe(relation)}` })
      continue
    }
    const { kind, model: target, fields } = relation
    if (!Array.isArray(fields) || fields.some((field) => typeof field !== 'string')) {
      issues.push({ path, reason: `must name a field or a list of them, got ${describe(fields)}` })
      continue
    }
    const other = models.get(target)
    if (other === undefined) {
      issues.push({ path, reason: `names ${target}, which is not a table or documents of the schema` })
      continue
    }
    const [holder, owner] = kind === 'one' ? [model, other] : [other, model]
    for (const field of fields) {
      if (resolveField(holder, field) === null) issues.push({ path, reason: `names no field ${holder.name}.${field}` })
    }
    if (fields.length !== owner.primaryKey.length) {
      issues.push({ path, reason: `must name ${owner.primaryKey.length} field(s), the key of ${owner.name}` })
    }
    if (model.byName.has(name)) issues.push({ path, reason: 'has the name of a column' })
    const [local, foreign] = kind === 'one' ? [fields, owner.primaryKey] : [owner.primaryKey, fields]
    model.relations.set(name, { kind, model: target, local, foreign })
  }
}

function checkName(name: string, path: string, issues: Issue[]): void {
  // Every object has members such as `constructor`; a field of that name could not be told from them.
  if (name === '' || RESERVED.has(name) || name in Object.prototype) {
    issues.push({ path, reason: `cannot be called ${describe(name)}` })
  }
  if (name.includes('.') || name.includes('\0') || !name.isWellFormed()) {
    issues.push({ path, reason: 'cannot hold a point, a NUL character or a lone surrogate' })
  }
  if (byteLength(databaseName(name)) > MAX_NAME_BYTES) {
    issues.push({ path, reason: `is longer than ${MAX_NAME_BYTES} bytes, which Postgres would cut` })
  }
}

function checkCollisions(names: readonly (readonly [string, string])[], what: string, issues: Issue[]): void {
  const seen = new Map<string, string>()
  for (const [name, inDatabase] of names) {
    const folded = inDatabase.toLowerCase()
    const other = seen.get(folded)
    if (other !== undefined)
      issues.push({ path: name, reason: `and ${other} of the ${what} are both ${inDatabase} in the database` })
    seen.set(folded, name)
  }
}
