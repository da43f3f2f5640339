import type { Row } from '../backend/index.ts'
import {
  DOCUMENT_COLUMN,
  DOCUMENT_FIELDS,
  describe,
  type FieldPath,
  isStorableText,
  type Model,
  resolveField,
} from '../schema/index.ts'
import {
  type AfterKey,
  allOf,
  type Condition,
  isPlainObject,
  keyFields,
  modelScope,
  type Order,
  type Output,
  outputs,
  readOrderBy,
  readWhere,
  type Select,
  Shape,
} from '../statement/index.ts'
import { decodeCursor } from './cursor.ts'
import { fromRow } from './record.ts'

/** A query as the repository reads it; users get it typed. */
export interface RawQuery {
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly limit?: unknown
  readonly offset?: unknown
  readonly select?: unknown
  readonly include?: unknown
}

/** A query made ready: its statement, and how its rows become records. */
export interface Finding {
  readonly key: string
  readonly parameters: readonly unknown[]
  readonly statement: Select
  /** The record as the user sees it, without what was read besides. */
  toRecord(row: Row): Row
  /** The row's values in the ordering. */
  orderValues(row: Row): unknown[]
}

/** What a query reads besides what the user asked for. */
export interface Extra {
  /** Fields by name that must be in the rows: the keys of included relations. */
  readonly fields?: readonly string[]
  /** Whether the values of the ordering must be in the rows, for a cursor. */
  readonly ordering?: boolean
  /** The cursor of the page before. */
  readonly after?: string | undefined
  /** A further condition, made from the shape. */
  readonly condition?: (shape: Shape) => Condition
  /** At most so many rows for each value of these fields. */
  readonly limitPer?: { readonly fields: readonly string[]; readonly limit: number }
}

const QUERY_KEYS = new Set(['where', 'orderBy', 'limit', 'offset', 'select', 'include'])

/** @throws ValidationError unless it is a query, and for parts that queries do not have. */
export function assertQuery(
  model: Model,
  query: unknown,
  alsoAllowed: readonly string[] = [],
): asserts query is RawQuery {
  const shape = new Shape('')
  if (!isPlainObject(query)) shape.refuse('', `must be an object such as { where }, got ${describe(query)}`)
  else {
    for (const name of Object.keys(query)) {
      if (!QUERY_KEYS.has(name) && !alsoAllowed.includes(name)) shape.refuse(name, 'is not part of such a query')
    }
  }
  shape.assertValid(`A query of ${model.name} was refused`)
}

/**
 * Reads a query.
 *
 * @throws ValidationError naming everything in it that is wrong.
 */
export function readQuery(model: Model, query: RawQuery, extra: Extra = {}): Finding {
  assertQuery(model, query)
  const shape = new Shape(`${model.name} find`)
  const scope = modelScope(model)
  const conditions: Condition[] = []
  const where = query.where === undefined ? undefined : readWhere(query.where, scope, shape)
  if (where !== undefined) conditions.push(where)
  if (extra.condition !== undefined) conditions.push(extra.condition(shape))
  const orderBy = readOrderBy(query.orderBy, scope, shape, keyFields(model))
  const fields = readSelect(model, query.select, extra.fields ?? [], shape)
  shape.assertValid(`A query of ${model.name} was refused`)
  if (extra.after !== undefined) conditions.push({ kind: 'after', keys: afterKeys(extra.after, model, orderBy, shape) })
  const limit = shape.addCount('limit', query.limit)
  const offset = shape.addCount('offset', query.offset)
  const limitPer = readLimitPer(model, extra, shape)
  if (extra.ordering === true) shape.mark('ordering')
  shape.assertValid(`A query of ${model.name} was refused`)

  const condition = allOf(conditions)
  return {
    key: shape.key,
    parameters: shape.parameters,
    statement: {
      kind: 'select',
      model: model.name,
      joins: [],
      outputs: outputsOf(model, fields, extra.ordering === true ? orderBy : []),
      orderBy,
      ...(condition !== undefined && { where: condition }),
      ...(limit !== undefined && { limit }),
      ...(offset !== undefined && { offset }),
      ...(limitPer !== undefined && { limitPer }),
    },
    toRecord: recordReader(model, fields, extra.ordering === true),
    orderValues: (row) => orderBy.map((_, index) => row[orderName(index)] ?? null),
  }
}

function afterKeys(after: string, model: Model, orderBy: readonly Order[], shape: Shape): AfterKey[] {
  shape.mark('after')
  return decodeCursor(after, model, orderBy, shape)
}

function readLimitPer(model: Model, { limitPer }: Extra, shape: Shape): Select['limitPer'] {
  if (limitPer === undefined) return undefined
  shape.mark('limitPer')
  const fields = limitPer.fields.map((name) => ({ source: 0, ...(resolveField(model, name) as FieldPath) }))
  return { fields, limit: shape.add(limitPer.limit) }
}

/** The fields to read; undefined for all of them. */
function readSelect(
  model: Model,
  select: unknown,
  extra: readonly string[],
  shape: Shape,
): readonly string[] | undefined {
  if (select === undefined) return undefined
  if (!Array.isArray(select)) {
    shape.refuse('select', `must be a list of fields, got ${describe(select)}`)
    return undefined
  }
  for (const name of Array.from(select as unknown[])) {
    const known =
      typeof name === 'string' &&
      isStorableText(name) &&
      (model.kind === 'documents' ? !name.includes('.') && name !== '__proto__' : model.byName.has(name))
    if (known) continue
    const isPath = typeof name === 'string' && name.includes('.') && resolveField(model, name) !== null
    const what = isPath ? 'a path: select the whole field, or use query().select(…)' : `not a field of ${model.name}`
    shape.refuse('select', `names ${describe(name)}, which is ${what}`)
  }
  if (shape.issues.length > 0) return undefined
  const fields = [...new Set([...(select as string[]), ...extra])]
  shape.mark('select')
  for (const name of fields) shape.name(name)
  return fields
}

const outputsOfModels = new WeakMap<Model, readonly Output[]>()

/** All columns of a model, as outputs. */
export function allOutputs(model: Model): readonly Output[] {
  const known = outputsOfModels.get(model)
  if (known !== undefined) return known
  const all = outputs(model.columns.map(({ name }) => name))
  outputsOfModels.set(model, all)
  return all
}

function outputsOf(model: Model, fields: readonly string[] | undefined, orderBy: readonly Order[]): readonly Output[] {
  const ordering = orderBy.map(({ field }, index): Output => ({ kind: 'field', name: orderName(index), field }))
  if (fields === undefined) return ordering.length === 0 ? allOutputs(model) : [...allOutputs(model), ...ordering]
  const columns = model.kind === 'table' ? fields : documentColumns(fields)
  const chosen = [...outputs(columns), ...ordering]
  // SQL has no rows without columns, so a query for none of them reads the key.
  return chosen.length > 0 ? chosen : outputs(model.primaryKey)
}

/** A document's own fields are read whole and picked here, so that missing and null stay apart. */
function documentColumns(fields: readonly string[]): string[] {
  const columns = fields.filter((name) => DOCUMENT_FIELDS.includes(name))
  return columns.length < fields.length ? [...columns, DOCUMENT_COLUMN] : columns
}

/** The name under which a row carries a value of its ordering; control characters keep it apart from fields. */
function orderName(index: number): string {
  return `\u0001${index}`
}

function recordReader(model: Model, fields: readonly string[] | undefined, ordered: boolean): (row: Row) => Row {
  if (fields === undefined && (!ordered || model.kind === 'documents')) return (row) => fromRow(model, row)
  const names = fields ?? model.columns.map(({ name }) => name)
  return (row) => {
    const record: Row = {}
    for (const name of names) {
      const from = isOwnColumn(model, name) ? row : ((row[DOCUMENT_COLUMN] ?? {}) as Row)
      if (Object.hasOwn(from, name)) record[name] = from[name]
    }
    return record
  }
}

/** Whether a field is a column; a document's own fields are members of one, and may even be called like it. */
function isOwnColumn(model: Model, name: string): boolean {
  return model.kind === 'table' || DOCUMENT_FIELDS.includes(name)
}
